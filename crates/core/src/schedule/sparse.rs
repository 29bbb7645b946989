//! An array over all counters that takes room only where something was written.

/// Values in one block.
const BLOCK: usize = 512;

/// Values by number; what was never written is the default.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse<T> {
    blocks: Vec<Box<[T]>>,
}

impl<T: Copy + Default> Sparse<T> {
    pub(super) fn get(&self, number: usize) -> T {
        let block = self.blocks.get(number / BLOCK);
        block.and_then(|block| block.get(number % BLOCK)).copied().unwrap_or_default()
    }

    pub(super) fn get_mut(&mut self, number: usize) -> &mut T {
        let block = number / BLOCK;
        if block >= self.blocks.len() {
            self.blocks.resize_with(block + 1, Default::default);
        }
        let block = &mut self.blocks[block];
        if block.is_empty() {
            *block = vec![T::default(); BLOCK].into();
        }
        &mut block[number % BLOCK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_the_rest_is_the_default() {
        let mut sparse = Sparse::default();
        *sparse.get_mut(5_000) = 7u32;
        *sparse.get_mut(1) += 2;
        assert_eq!([0, 1, 2, 5_000, 5_001, 900_000].map(|n| sparse.get(n)), [0, 2, 0, 7, 0, 0]);
    }
}
