//! Thin wrappers over published parsers, each at a version with a known bug. `README.md` names the
//! bugs.

/// Reads a version requirement such as `>=1.2, <2`.
pub fn version_requirement(text: &str) -> Option<semver::VersionReq> {
    semver::VersionReq::parse(text).ok()
}

/// Compiles a text template such as `Hello {name}!`, and says whether it could.
pub fn template_compiles(text: &str) -> bool {
    tinytemplate::TinyTemplate::new().add_template("page", text).is_ok()
}

/// The readable name of a mangled Rust symbol.
pub fn symbol_name(symbol: &str) -> String {
    rustc_demangle::demangle(symbol).to_string()
}

/// Reads a JSON document and writes it again, with its numbers as a caller would ask for them.
pub fn json_document(text: &str) -> Option<(String, Vec<Option<u64>>)> {
    let document = json::parse(text).ok()?;
    let numbers = document.members().map(|member| member.as_fixed_point_u64(2)).collect();
    Some((document.pretty(2), numbers))
}

/// Who logs in where: the user and the password in an address, and the folder of its page.
pub fn login(address: &str) -> Option<(String, Option<String>, String)> {
    let mut url = url::Url::parse(address).ok()?;
    let (user, password) = (url.username().to_owned(), url.password().map(str::to_owned));
    url.path_segments_mut().ok()?.pop();
    Some((user, password, url.into_string()))
}

/// Writes the fields of a web form as one line.
pub fn write_form<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Reads what [`write_form`] wrote.
pub fn read_form(line: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(line.as_bytes()).into_owned().collect()
}
