//! Sets of waiting tickets as rows of bits, one bit per place in the pool.

/// Places per word.
pub(super) const WORD: usize = 64;

/// A set of places. Reading beyond its end gives nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn word(&self, word: usize) -> u64 {
        self.0.get(word).copied().unwrap_or(0)
    }

    pub(super) fn contains(&self, place: usize) -> bool {
        self.word(place / WORD) >> (place % WORD) & 1 == 1
    }

    pub(super) fn insert(&mut self, place: usize) {
        if place / WORD >= self.0.len() {
            self.0.resize(place / WORD + 1, 0);
        }
        self.0[place / WORD] |= 1 << (place % WORD);
    }

    pub(super) fn remove(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / WORD) {
            *word &= !(1 << (place % WORD));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn words(&self) -> usize {
        self.0.len()
    }

    pub(super) fn or_word(&mut self, word: usize, bits: u64) {
        if bits != 0 {
            if word >= self.0.len() {
                self.0.resize(word + 1, 0);
            }
            self.0[word] |= bits;
        }
    }

    /// Empties the set; it keeps its memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds all places of `other`.
    pub(super) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// The places in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, bits)| ones(*bits).map(move |bit| word * WORD + bit))
    }
}

/// The positions of the ones of a word, ascending.
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(bit)
    })
}
