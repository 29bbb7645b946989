//! How inputs are written to files.
//!
//! Owns what differs between our own tests and Go's, whose files plain `go test` must be able to
//! read, under the names that Go itself would give them. Must not touch files.

use std::ffi::OsString;

use fuzzd_core::signature::{FailureKind, Signature};
use fuzzd_go::text;
use fuzzd_protocol::input;
use fuzzd_protocol::value::ValueType;

use super::names::bug_file_name;

/// The form of the files of one fuzz test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// Raw bytes where one byte string is all there is, text otherwise; bugs by kind and signature.
    Native,
    /// Always text, byte for byte as Go writes it; bugs by the hash of their file.
    Go,
}

/// What stands before the parameter types of a test of Go in the database.
const GO_MARK: &str = "go";

impl FileForm {
    /// The content of the file of an input.
    #[must_use]
    pub fn to_file(self, types: &[ValueType], memory: &[u8]) -> Vec<u8> {
        match self {
            Self::Native => input::to_file(types, memory),
            Self::Go => text::encode(&input::to_values(types, memory)),
        }
    }

    /// The name of a bug's file in testdata.
    pub(super) fn bug_name(
        self,
        kind: FailureKind,
        signature: Signature,
        content: &[u8],
    ) -> OsString {
        match self {
            Self::Native => bug_file_name(kind, signature).into(),
            Self::Go => text::file_name(content).into(),
        }
    }

    /// The types of a test as the database has them.
    pub(super) fn type_names(self, types: &[ValueType]) -> String {
        let mark = match self {
            Self::Native => None,
            Self::Go => Some(GO_MARK),
        };
        let names = types.iter().map(|value_type| value_type.name());
        mark.into_iter().chain(names).collect::<Vec<_>>().join(",")
    }

    /// What [`type_names`](Self::type_names) wrote.
    pub(super) fn read_types(names: &str) -> (Self, Vec<ValueType>) {
        let form = match names.split(',').next() {
            Some(GO_MARK) => Self::Go,
            _ => Self::Native,
        };
        (form, names.split(',').filter_map(ValueType::from_name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_go_are_texts_with_the_names_go_gives_them() {
        let content = FileForm::Go.to_file(&[ValueType::Bytes], b"0");
        assert_eq!(content, b"go test fuzz v1\n[]byte(\"0\")\n");
        let name = FileForm::Go.bug_name(FailureKind::Error, Signature(1), &content);
        assert_eq!(name, "582528ddfad69eb5");
        let content = FileForm::Native.to_file(&[ValueType::Bytes], b"0");
        assert_eq!(content, b"0");
        let name = FileForm::Native.bug_name(FailureKind::Error, Signature(1), &content);
        assert_eq!(name, "error-0000000000000001");
    }

    #[test]
    fn the_database_remembers_the_form() {
        for form in [FileForm::Native, FileForm::Go] {
            let types = vec![ValueType::Bytes, ValueType::Int32];
            let names = form.type_names(&types);
            assert_eq!(FileForm::read_types(&names), (form, types));
        }
        assert_eq!(FileForm::Native.type_names(&[ValueType::Bytes]), "[]byte");
    }
}
