//! Splits text into the words that it is found by. A pure function that every backend uses.
//!
//! Words are runs of letters and digits, without case and accents, in Unicode's compatible form. Chinese, Japanese and
//! Korean text has no spaces between words, so every pair of neighboring characters is a word; a word inside a
//! sentence is found without a dictionary. A text has its single characters as words too, so that a word of one
//! character is found.

use std::collections::BTreeMap;

use agent_schemas::Message;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// The longest word, in characters; longer ones are cut.
const MAX_WORD: usize = 64;

/// The words of a stored text, and how often each occurs.
pub fn of_text(text: &str) -> BTreeMap<String, u32> {
    let mut words = BTreeMap::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => *words.entry(word).or_default() += 1,
            Run::Characters(characters) => {
                for character in &characters {
                    *words.entry(character.to_string()).or_default() += 1;
                }
                for pair in characters.windows(2) {
                    *words.entry(pair.iter().collect()).or_default() += 1;
                }
            }
        }
    }
    words
}

/// The words of all texts of a message.
pub fn of_message(message: &Message) -> BTreeMap<String, u32> {
    let texts: Vec<&str> = message.contents().iter().filter_map(|content| content.as_text()).collect();
    of_text(&texts.join("\n"))
}

/// The words of a query, each once.
pub fn of_query(text: &str) -> Vec<String> {
    let mut words = std::collections::BTreeSet::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => {
                words.insert(word);
            }
            Run::Characters(characters) if characters.len() == 1 => words.extend([characters[0].to_string()]),
            Run::Characters(characters) => {
                words.extend(characters.windows(2).map(|pair| pair.iter().collect::<String>()));
            }
        }
    }
    words.into_iter().collect()
}

enum Run {
    /// Letters and digits of scripts that separate words.
    Word(String),
    /// Characters of scripts that do not.
    Characters(Vec<char>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut word = String::new();
    let mut length = 0;
    let mut characters = Vec::new();
    for character in text.nfkc().flat_map(char::to_lowercase) {
        let is_east_asian = is_east_asian(character);
        // A mark belongs to the preceding letter.
        if is_combining_mark(character) {
            continue;
        }
        if (!character.is_alphanumeric() || is_east_asian) && !word.is_empty() {
            runs.push(Run::Word(std::mem::take(&mut word)));
            length = 0;
        }
        if !is_east_asian && !characters.is_empty() {
            runs.push(Run::Characters(std::mem::take(&mut characters)));
        }
        if is_east_asian {
            characters.push(character);
        } else if character.is_alphanumeric() && length < MAX_WORD {
            decompose_canonical(character, |part| {
                if !is_combining_mark(part) {
                    word.push(part);
                }
            });
            length += 1;
        }
    }
    runs.extend((!word.is_empty()).then_some(Run::Word(word)));
    runs.extend((!characters.is_empty()).then_some(Run::Characters(characters)));
    runs
}

/// Whether a character is Han, Kana, Bopomofo or Hangul.
fn is_east_asian(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303b}' | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}'
        | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{3105}'..='\u{312f}' | '\u{3131}'..='\u{318e}'
        | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97c}' | '\u{ac00}'..='\u{d7fb}' | '\u{f900}'..='\u{faff}' | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, query: &str, is_found: bool) {
        let words = of_text(text);
        let found = of_query(query).iter().any(|word| words.contains_key(word));
        assert_eq!(found, is_found, "{query:?} in {text:?}: {words:?}");
    }

    #[test]
    fn words__case_accents_and_forms__are_ignored() {
        check("Crème BRÛLÉE", "creme", true);
        check("creme brulee", "BRÛLÉE", true);
        check("E\u{301}cole", "école", true);
        check("ﬁnal ＡＢＣ", "final", true);
        check("ﬁnal ＡＢＣ", "abc", true);
        check("Ελλάδα", "ελλαδα", true);
        check("don't stop", "stop", true);
        check("stopping", "stop", false);
    }

    #[test]
    fn words__east_asian_text__matches_inside_sentences() {
        check("我喜欢喝咖啡", "咖啡", true);
        check("我喜欢喝咖啡", "喜茶", false);
        check("コーヒーが好きです", "コーヒー", true);
        check("猫が好き", "猫", true);
        check("저는 커피를 좋아해요", "커피", true);
        check("커피", "커피", true);
        check("GPT模型很好", "gpt", true);
        check("GPT模型很好", "模型", true);
        check("がっこう", "かっこう", true);
    }

    #[test]
    fn words__are_counted_and_truncated() {
        assert_eq!(of_text("a b a, A!")["a"], 3);
        assert!(of_text(" ,.!👋\u{0}\u{301}").is_empty());
        let long = "x".repeat(1000);
        assert_eq!(of_text(&long).keys().next().map(String::len), Some(MAX_WORD));
        assert_eq!(of_query(&long), of_text(&long).into_keys().collect::<Vec<_>>());
    }
}
