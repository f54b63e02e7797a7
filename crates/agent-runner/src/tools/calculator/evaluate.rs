//! A recursive-descent evaluator of arithmetic expressions.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = signed { ("*" | "/" | "%") signed }
//! signed  = { "+" | "-" } power
//! power   = atom [ ("^" | "**") signed ]
//! atom    = number | constant | name "(" sum { "," sum } ")" | "(" sum ")"
//! ```

use std::fmt;

/// The maximum length of an expression, in bytes.
const MAX_LENGTH: usize = 4096;

/// The maximum nesting of parentheses, signs and powers.
const MAX_DEPTH: usize = 64;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExpressionError {
    TooLong,
    TooDeep,
    /// This character, counted from 1, is not allowed here.
    Unexpected(char, usize),
    /// The expression ends where more should follow.
    UnexpectedEnd,
    UnknownName(String),
    /// A function has the wrong number of arguments.
    Arguments(String),
    DivisionByZero,
    /// The value is too large, or not a real number.
    NoNumber,
}

impl ExpressionError {
    /// Whether the expression is well-formed and only has no value.
    pub(crate) fn is_about_value(&self) -> bool {
        matches!(self, ExpressionError::DivisionByZero | ExpressionError::NoNumber)
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpressionError::TooLong => write!(f, "the expression is longer than {MAX_LENGTH} bytes"),
            ExpressionError::TooDeep => write!(f, "the expression is nested deeper than {MAX_DEPTH} levels"),
            ExpressionError::Unexpected(what, place) => write!(f, "unexpected '{what}' at character {place}"),
            ExpressionError::UnexpectedEnd => f.write_str("the expression ends too early"),
            ExpressionError::UnknownName(name) => write!(f, "unknown name '{name}'"),
            ExpressionError::Arguments(name) => write!(f, "wrong number of arguments for '{name}'"),
            ExpressionError::DivisionByZero => f.write_str("division by zero"),
            ExpressionError::NoNumber => f.write_str("the result is too large or not a real number"),
        }
    }
}

/// The value of an expression; always finite.
pub(crate) fn evaluate(expression: &str) -> Result<f64, ExpressionError> {
    if expression.len() > MAX_LENGTH {
        return Err(ExpressionError::TooLong);
    }
    let mut parser = Parser { text: expression, position: 0, depth: 0 };
    let value = parser.sum()?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected()),
        None => Ok(value),
    }
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.peek().filter(|next| wanted.contains(next))?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn unexpected(&mut self) -> ExpressionError {
        match self.peek() {
            Some(next) => ExpressionError::Unexpected(next, self.text[..self.position].chars().count() + 1),
            None => ExpressionError::UnexpectedEnd,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), ExpressionError> {
        self.take(&[wanted]).map(|_| ()).ok_or_else(|| self.unexpected())
    }

    /// Runs a rule that may recurse.
    fn nested(
        &mut self,
        rule: fn(&mut Self) -> Result<f64, ExpressionError>,
    ) -> Result<f64, ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExpressionError::TooDeep);
        }
        let value = rule(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn sum(&mut self) -> Result<f64, ExpressionError> {
        let mut value = self.product()?;
        while let Some(operator) = self.take(&['+', '-', '−']) {
            let right = self.product()?;
            value = finite(if operator == '+' { value + right } else { value - right })?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<f64, ExpressionError> {
        let mut value = self.signed()?;
        while let Some(operator) = self.take(&['*', '×', '·', '/', '÷', '%']) {
            let right = self.signed()?;
            let times = matches!(operator, '*' | '×' | '·');
            if right == 0.0 && !times {
                return Err(ExpressionError::DivisionByZero);
            }
            value = finite(match operator {
                '%' => value % right,
                _ if times => value * right,
                _ => value / right,
            })?;
        }
        Ok(value)
    }

    fn signed(&mut self) -> Result<f64, ExpressionError> {
        match self.take(&['+', '-', '−']) {
            Some('+') => self.nested(Self::signed),
            Some(_) => self.nested(Self::signed).map(|value| -value),
            None => self.power(),
        }
    }

    fn power(&mut self) -> Result<f64, ExpressionError> {
        let base = self.atom()?;
        if self.take(&['^']).is_none() {
            if !self.rest().starts_with("**") {
                return Ok(base);
            }
            self.position += 2;
        }
        let exponent = self.nested(Self::signed)?;
        finite(base.powf(exponent))
    }

    fn atom(&mut self) -> Result<f64, ExpressionError> {
        match self.peek() {
            Some('(') => {
                self.expect('(')?;
                let value = self.nested(Self::sum)?;
                self.expect(')')?;
                Ok(value)
            }
            Some(next) if next.is_ascii_digit() || next == '.' => self.number(),
            Some(next) if next.is_ascii_alphabetic() => self.named(),
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<f64, ExpressionError> {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let mut end = digits(0);
        if rest[end..].starts_with('.') {
            end += 1 + digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        let value = rest[..end].parse().map_err(|_| self.unexpected())?;
        self.position += end;
        finite(value)
    }

    fn named(&mut self) -> Result<f64, ExpressionError> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        self.position += end;
        if self.take(&['(']).is_none() {
            return match name.as_str() {
                "pi" => Ok(std::f64::consts::PI),
                "e" => Ok(std::f64::consts::E),
                _ => Err(ExpressionError::UnknownName(name)),
            };
        }
        let mut arguments = vec![self.nested(Self::sum)?];
        while self.take(&[',']).is_some() {
            arguments.push(self.nested(Self::sum)?);
        }
        self.expect(')')?;
        apply(name, &arguments)
    }
}

fn apply(name: String, arguments: &[f64]) -> Result<f64, ExpressionError> {
    match name.as_str() {
        "min" => return Ok(arguments.iter().copied().fold(f64::INFINITY, f64::min)),
        "max" => return Ok(arguments.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        _ => {}
    }
    let function: fn(f64) -> f64 = match name.as_str() {
        "sqrt" => f64::sqrt,
        "abs" => f64::abs,
        "round" => f64::round,
        "floor" => f64::floor,
        "ceil" => f64::ceil,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log" => f64::log10,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        _ => return Err(ExpressionError::UnknownName(name)),
    };
    match arguments {
        [argument] => finite(function(*argument)),
        _ => Err(ExpressionError::Arguments(name)),
    }
}

fn finite(value: f64) -> Result<f64, ExpressionError> {
    if value.is_finite() { Ok(value) } else { Err(ExpressionError::NoNumber) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: f64) {
        assert_eq!(evaluate(expression), Ok(expected), "{expression}");
    }

    #[track_caller]
    fn check_error(expression: &str, expected: &str) {
        let error = evaluate(expression).expect_err(expression);
        assert_eq!(error.to_string(), expected, "{expression}");
    }

    #[test]
    fn evaluate__operators__follow_precedence() {
        check("1 + 2 * 3", 7.0);
        check("(1 + 2) * 3", 9.0);
        check("10 - 4 - 3", 3.0);
        check("2 ^ 3 ^ 2", 512.0);
        check("-2 ^ 2", -4.0);
        check("2 ^ -1", 0.5);
        check("2 ** 3 * 2", 16.0);
        check("- - 3", 3.0);
        check("7 % 4", 3.0);
        check("6 × 7 ÷ 2 − 1", 20.0);
    }

    #[test]
    fn evaluate__numbers_names_and_functions__are_known() {
        check(".5 + 1.", 1.5);
        check("1e3 + 2.5E-1", 1000.25);
        check("sqrt(16) + ABS(-2)", 6.0);
        check("max(1, 2 + 3, 4) - min(2, 1)", 4.0);
        check("round(2.5)", 3.0);
        check("2 * pi", std::f64::consts::TAU);
        check("log(1000)", 3.0);
    }

    #[test]
    fn evaluate__invalid_expression__explains_the_error() {
        check_error("", "the expression ends too early");
        check_error("1 +", "the expression ends too early");
        check_error("1 2", "unexpected '2' at character 3");
        check_error("2 $ 3", "unexpected '$' at character 3");
        check_error("(1", "the expression ends too early");
        check_error(".", "unexpected '.' at character 1");
        check_error("1 / 0", "division by zero");
        check_error("1 % 0", "division by zero");
        check_error("sqrt(-1)", "the result is too large or not a real number");
        check_error("9 ^ 9 ^ 9", "the result is too large or not a real number");
        check_error("x + 1", "unknown name 'x'");
        check_error("sqrt(1, 2)", "wrong number of arguments for 'sqrt'");
        check_error(&"(".repeat(100), "the expression is nested deeper than 64 levels");
        check_error(&"-".repeat(100), "the expression is nested deeper than 64 levels");
        check_error(&" ".repeat(5000), "the expression is longer than 4096 bytes");
    }

    #[test]
    fn evaluate__long_flat_expression__is_not_too_deep() {
        check(&vec!["1"; 1000].join("+"), 1000.0);
        check(&vec!["(1)"; 500].join("+"), 500.0);
    }

    proptest! {
        #[test]
        fn evaluate__any_text__does_not_panic(text in "[-0-9.e+*/%^(), a-z×]{0,40}") {
            let _ = evaluate(&text);
        }
    }
}
