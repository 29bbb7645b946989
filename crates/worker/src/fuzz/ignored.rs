//! Failures to go on over, and how often each was met.

use fuzzd_core::signature::Signature;
use fuzzd_protocol::message::IgnoredCount;

/// Signatures to go on over, with the number of times each was met.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    signatures: Vec<Signature>,
    counts: Vec<u64>,
}

impl Ignored {
    /// `signatures` are sorted.
    pub(super) fn new(signatures: Vec<Signature>) -> Self {
        let counts = vec![0; signatures.len()];
        Self { signatures, counts }
    }

    /// Counts a failure if it is to be ignored, and says whether it is.
    pub(super) fn count(&mut self, signature: Signature) -> bool {
        let found = self.signatures.binary_search(&signature);
        if let Ok(position) = found {
            self.counts[position] += 1;
        }
        found.is_ok()
    }

    /// Whether a failure is to be ignored; not counted.
    pub(super) fn has(&self, signature: Signature) -> bool {
        self.signatures.binary_search(&signature).is_ok()
    }

    /// As the reply has it.
    pub(super) fn into_wire(self) -> Vec<IgnoredCount> {
        let met = self.signatures.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        met.map(|(signature, count)| IgnoredCount { signature: signature.to_string(), count })
            .collect()
    }
}
