//! Finds arithmetic in free text: `What is 6 times 7?` asks for `6 * 7`.

use crate::tools::evaluate;

/// An expression that a text asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question(Vec<String>);

impl Question {
    /// The first arithmetic expression in a lower-case text.
    pub(super) fn find(text: &str) -> Option<Self> {
        let mut run = Vec::new();
        for token in tokens(text).into_iter().map(Some).chain([None]) {
            match token.and_then(meaning) {
                // The second word of `divided by` adds nothing.
                Some("") => {}
                Some(symbol) => run.push(symbol.to_owned()),
                None => {
                    if let Some(question) = Question::of(std::mem::take(&mut run)) {
                        return Some(question);
                    }
                }
            }
        }
        None
    }

    /// Takes adjacent symbols if they are an expression with an operator between two numbers.
    fn of(mut symbols: Vec<String>) -> Option<Self> {
        while symbols.last().is_some_and(|last| !is_number(last) && last != ")") {
            symbols.pop();
        }
        let numbers = symbols.iter().filter(|symbol| is_number(symbol)).count();
        let question = Question(symbols);
        match evaluate(&question.expression()) {
            Ok(_) => (numbers > 1).then_some(question),
            // The expression is well-formed but has no value; the calculator reports why.
            Err(error) => (numbers > 1 && error.is_about_value()).then_some(question),
        }
    }

    /// In the calculator's notation.
    pub(super) fn expression(&self) -> String {
        self.0.join(" ").replace("( ", "(").replace(" )", ")")
    }

    /// In human notation.
    pub(super) fn shown(&self) -> String {
        self.expression().replace('*', "×").replace('/', "÷")
    }
}

fn is_number(symbol: &str) -> bool {
    symbol.starts_with(|c: char| c.is_ascii_digit())
}

/// Words, numbers and single other characters.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            _ if first.is_ascii_digit() => number_length(rest),
            _ if first.is_alphabetic() => rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, more) = rest.split_at(end);
        tokens.push(token);
        rest = more.trim_start();
    }
    tokens
}

/// A point belongs to a number only if a digit follows: a sentence may end with a number.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    match text[whole..].strip_prefix('.') {
        Some(_) if digits(whole + 1) > 0 => whole + 1 + digits(whole + 1),
        _ => whole,
    }
}

/// The symbol of a token; empty for a filler word, `None` if the token is not arithmetic.
fn meaning(token: &str) -> Option<&str> {
    Some(match token {
        "times" | "x" | "×" | "·" | "multiplied" => "*",
        "divided" | "over" | "÷" => "/",
        "plus" => "+",
        "minus" | "−" => "-",
        "by" => "",
        "+" | "-" | "*" | "/" | "%" | "^" | "(" | ")" => token,
        _ if is_number(token) => token,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = Question::find(&text.to_lowercase()).map(|question| question.expression());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn expression__words_and_signs__are_recognized() {
        check("What is 6 times 7?", Some("6 * 7"));
        check("6*7", Some("6 * 7"));
        check("Please add: 1 plus 2.5 minus 3.", Some("1 + 2.5 - 3"));
        check("100 divided by 8", Some("100 / 8"));
        check("3 multiplied by (4 + 5) = ?", Some("3 * (4 + 5)"));
        check("What is -6 x 7 - really?", Some("- 6 * 7"));
        check("1 over 0", Some("1 / 0"));
    }

    #[test]
    fn expression__other_text__is_none() {
        for text in
            ["", "Hello!", "I have 6 cats and 7 dogs", "6", "call 555", "a - b", "3 - or so", "7 8", "times"]
        {
            check(text, None);
        }
    }
}
