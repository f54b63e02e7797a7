//! Whatever an agent does, its completion is well-formed, and the answer without a stream says the same.

use agent_tests::completions::{Ended, check};
use agent_tests::rounds;
use axum::http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::runtime::Builder;

use crate::responses::app::Client;
use crate::responses::random::{Step, script, step};

async fn check_script(steps: Vec<Step>, fails: bool) -> Result<(), String> {
    let client = Client::new(script(steps, fails));
    let ask = |more: &str| format!(r#"{{"messages":[{{"role":"user","content":"hi"}}]{more}}}"#);
    let (_, stream) = client.call(Method::POST, super::PATH, &ask(r#","stream":true"#)).await;
    let (status, whole) = client.json(Method::POST, super::PATH, &ask("")).await;
    match check(&stream)? {
        Ended::Well(completed) => {
            let choice = &whole["choices"][0];
            let is_same =
                choice["message"] == completed.message && choice["finish_reason"] == completed.finish_reason;
            if fails || status != 200 || !is_same {
                return Err(format!("without a stream it is {status} {whole}, with one {completed:?}"));
            }
        }
        Ended::Badly(error) => {
            if !fails || status < 400 || whole["error"] != error {
                return Err(format!("without a stream it is {status} {whole}, with one {error}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(rounds(64) as u32) })]

    #[test]
    fn completion__any_script__is_well_formed(steps in vec(step(), 0..8), fails in any::<bool>()) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let checked = runtime.block_on(check_script(steps, fails));
        prop_assert!(checked.is_ok(), "{}", checked.unwrap_err());
    }
}
