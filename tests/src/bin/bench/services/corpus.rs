//! The texts that are stored and searched: generated, the same in every run, with word frequencies as in natural languages.

/// How many different words there are.
const VOCABULARY: usize = 20_000;

/// Texts of 8 to 32 words, in which the n-th word is 1/n as frequent as the first (Zipf's law).
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) texts: Vec<String>,
    /// Three words of one text each.
    pub(crate) queries: Vec<String>,
    /// The three most frequent words.
    pub(crate) frequent: String,
}

impl Corpus {
    pub(crate) fn new(texts: usize) -> Self {
        let mut random = Random(7);
        let words: Vec<String> = (0..VOCABULARY).map(word).collect();
        let mut sum = 0.0;
        let mut sums = Vec::with_capacity(VOCABULARY);
        for rank in 1..=VOCABULARY {
            sum += 1.0 / rank as f64;
            sums.push(sum);
        }
        let any_word = |random: &mut Random| {
            let at = random.fraction() * sum;
            &words[sums.partition_point(|until| *until < at).min(VOCABULARY - 1)]
        };
        let mut made = Vec::with_capacity(texts);
        for _ in 0..texts {
            let length = 8 + random.below(25);
            let text: Vec<&str> = (0..length).map(|_| any_word(&mut random).as_str()).collect();
            made.push(text.join(" "));
        }
        let query = |_| {
            let words: Vec<&str> = made[random.below(made.len())].split(' ').collect();
            let chosen: Vec<&str> = (0..3).map(|_| words[random.below(words.len())]).collect();
            chosen.join(" ")
        };
        let queries = (0..500).map(query).collect();
        Corpus { queries, texts: made, frequent: words[..3].join(" ") }
    }

    /// A text; after the last one, they start over.
    pub(crate) fn text(&self, number: usize) -> &str {
        &self.texts[number % self.texts.len()]
    }
}

/// The name of a word by its rank: syllables, so that no word is a part of many others.
fn word(rank: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qi", "ro", "su", "ta", "ve",
        "wi", "xo", "zu",
    ];
    let mut word = String::new();
    let mut rest = rank;
    loop {
        word.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
        if rest == 0 {
            return word;
        }
    }
}

/// Splitmix64: the same numbers in every run.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.fraction() * bound as f64) as usize
    }
}
