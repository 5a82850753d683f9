//! The keys on the way down through a document, kept on the stack.

#[derive(Clone, Copy)]
pub(super) struct Trail<'k> {
    pub(super) above: Option<&'k Trail<'k>>,
    pub(super) key: &'k str,
}

impl Trail<'_> {
    /// How many keys.
    pub(super) fn depth(&self) -> usize {
        1 + self.above.map_or(0, Trail::depth)
    }

    /// From the outside in.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = self.above.map_or_else(Vec::new, Trail::keys);
        keys.push(self.key.to_owned());
        keys
    }
}
