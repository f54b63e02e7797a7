//! Upstream's operations on states.

use agent_schemas::Json;
use agent_services::state::StateStore;

use super::caller::{Answer, Arguments, Fault, to_json};

pub(super) async fn call(store: &dyn StateStore, operation: &str, arguments: &Arguments) -> Answer {
    let (user, session) = (arguments.user(), arguments.session_or_default());
    let round = round(arguments)?;
    match operation {
        "save_state" => {
            let state = arguments.get("state").expect("a state");
            Ok(to_json(&store.save(&user, &session, round, state).await?))
        }
        "export_state" => {
            let found = store.export(&user, &session, round).await?;
            Ok(found.map_or(Json::Null, |(_, state)| state))
        }
        other => panic!("an unknown operation: {other}"),
    }
}

fn round(arguments: &Arguments) -> Result<Option<u64>, Fault> {
    let Some(round) = arguments.get("round_id") else { return Ok(None) };
    let number = round.as_i64().and_then(|number| u64::try_from(number).ok());
    number.map(Some).ok_or_else(Fault::wrong_type)
}
