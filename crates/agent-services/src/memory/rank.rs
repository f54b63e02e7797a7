//! How well texts fit a query: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) with Lucene's
//! idf, which is never negative. One pure function that the backends of this crate use, so that their scores
//! agree. Backends in other crates may score differently.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// BM25's k1: how soon further occurrences of a word stop counting.
const K1: f64 = 1.2;
/// BM25's b: how much long texts are penalized.
const B: f64 = 0.75;

/// All texts of one user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corpus {
    /// How many texts have the word.
    pub texts: u64,
    /// The total number of words in all texts.
    pub words: u64,
}

/// A text that contains a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The text.
    pub number: u64,
    /// How often the text contains the word.
    pub occurrences: u32,
    /// The number of words in the text.
    pub length: u32,
}

/// The texts that contain at least one of the query's words, best first, and greatest number first if equal.
///
/// `words` has, for each word of the query in order, all texts of the corpus that contain it, each once. Scores are
/// rounded to nine decimal places, because sums of floats depend on their order.
pub fn rank(corpus: Corpus, words: &[Vec<Posting>]) -> Vec<(u64, f64)> {
    best(corpus, words, usize::MAX, |_, _| true)
}

/// The best results of [`rank`], restricted by number and score. Faster than ranking everything.
pub fn best(
    corpus: Corpus,
    words: &[Vec<Posting>],
    count: usize,
    is_wanted: impl Fn(u64, f64) -> bool,
) -> Vec<(u64, f64)> {
    let rounded =
        scores(corpus, words).into_iter().map(|(number, score)| (number, (score * 1e9).round() / 1e9));
    let mut ranked: Vec<(u64, f64)> = rounded.filter(|(number, score)| is_wanted(*number, *score)).collect();
    let order = |a: &(u64, f64), b: &(u64, f64)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
    if count < ranked.len() {
        ranked.select_nth_unstable_by(count, order);
        ranked.truncate(count);
    }
    ranked.sort_unstable_by(order);
    ranked
}

fn scores(corpus: Corpus, words: &[Vec<Posting>]) -> HashMap<u64, f64, RandomState> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (texts, all_words) = (corpus.texts as f64, corpus.words as f64);
    let average = if texts > 0.0 { all_words / texts } else { 1.0 };
    // Clients do not choose the numbers, so a fast hash is safe.
    let most = words.iter().map(Vec::len).max().unwrap_or_default();
    let mut scores = HashMap::with_capacity_and_hasher(most, RandomState::default());
    for postings in words {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let found = postings.len() as f64;
        let idf = (1.0 + (texts - found + 0.5).max(0.0) / (found + 0.5)).ln();
        for posting in postings {
            let occurrences = f64::from(posting.occurrences);
            let norm = K1 * (1.0 - B + B * f64::from(posting.length) / average);
            *scores.entry(posting.number).or_default() +=
                idf * occurrences * (K1 + 1.0) / (occurrences + norm);
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posting(number: u64, occurrences: u32, length: u32) -> Posting {
        Posting { number, occurrences, length }
    }

    #[test]
    fn rank__nothing__is_empty() {
        assert_eq!(rank(Corpus::default(), &[]), []);
        assert_eq!(rank(Corpus::default(), &[vec![]]), []);
    }

    #[test]
    fn rank__known_input__gives_known_score() {
        // ln(1 + (2 - 1 + 0.5) / (1 + 0.5)) · 1 · 2.2 / (1 + 1.2 · (0.25 + 0.75 · 3 / 2.5))
        let ranked = rank(Corpus { texts: 2, words: 5 }, &[vec![posting(7, 1, 3)]]);
        assert_eq!(ranked, [(7, 0.640_724_285)]);
    }

    #[test]
    fn rank__rare_frequent_and_short__score_higher() {
        let corpus = Corpus { texts: 100, words: 1000 };
        let common: Vec<_> = (0..50).map(|number| posting(number, 1, 10)).collect();
        let order = |words: &[Vec<Posting>]| {
            rank(corpus, words).into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(order(&[common, vec![posting(99, 1, 10)]])[0], 99);
        assert_eq!(order(&[vec![posting(1, 1, 10), posting(2, 5, 10)]]), [2, 1]);
        assert_eq!(order(&[vec![posting(1, 1, 50), posting(2, 1, 5)]]), [2, 1]);
        assert_eq!(order(&[vec![posting(1, 1, 10), posting(2, 1, 10)]]), [2, 1], "the newest of equal ones");
    }
}
