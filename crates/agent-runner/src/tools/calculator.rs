//! A tool that does arithmetic.

mod evaluate;

use agent_schemas::{Json, JsonObject, object};
use async_trait::async_trait;

use super::{Tool, ToolContext, ToolError};

pub(crate) use evaluate::evaluate;

/// Evaluates an arithmetic expression.
///
/// It supports decimal numbers, `+ - * / % ^`, parentheses, the functions `sqrt`, `abs`, `round`, `floor`, `ceil`,
/// `exp`, `ln`, `log` (base 10), `sin`, `cos`, `tan`, `min`, `max`, and `pi` and `e`. Numbers are 64-bit floats; the
/// result has up to 15 significant digits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calculator;

#[async_trait]
impl Tool for Calculator {
    fn name(&self) -> &str {
        "calculator"
    }

    fn description(&self) -> &str {
        "Evaluates an arithmetic expression and returns the number."
    }

    fn parameters(&self) -> Json {
        let expression = object! {
            "type" => "string",
            "description" => "The expression, such as \"(1 + 2.5) * 3 ^ 2\". Operators: + - * / % ^. Functions: sqrt, \
                abs, round, floor, ceil, exp, ln, log, sin, cos, tan, min, max. Constants: pi, e."
        };
        let schema = object! {
            "type" => "object",
            "properties" => object! { "expression" => expression },
            "required" => vec![Json::from("expression")],
            "additionalProperties" => false
        };
        schema.into()
    }

    async fn call(&self, _: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError> {
        let expression = match arguments.get("expression") {
            Some(Json::String(expression)) => evaluate(expression),
            // Small models tend to omit the quotation marks.
            Some(Json::Number(number)) => evaluate(number.as_str()),
            _ => return Err(ToolError::new("the argument 'expression' should be a string")),
        };
        Ok(number(expression.map_err(|error| ToolError::new(error.to_string()))?))
    }
}

/// The number as JSON: an integer if it has no fraction, otherwise without the noise of binary fractions.
fn number(value: f64) -> Json {
    /// Up to this value, every whole float is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small enough")]
        return Json::from(value as i64);
    }
    let rounded = format!("{value:.14e}").parse().unwrap_or(value);
    Json::from(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: &str) {
        let answer =
            evaluate(expression).map(number).map_or_else(|error| error.to_string(), |n| n.to_string());
        assert_eq!(answer, expected, "{expression}");
    }

    #[test]
    fn format__results__are_human_readable() {
        check("6 * 7", "42");
        check("0.1 + 0.2", "0.3");
        check("1 / 3", "0.333333333333333");
        check("-0", "0");
        check("2 ^ 53", "9007199254740992");
        check("2 ^ 0.5", "1.4142135623731");
        check("10 / 4", "2.5");
    }
}
