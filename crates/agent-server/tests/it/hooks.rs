//! Hooks, which run before the first request and after the last.

use std::io;
use std::sync::{Arc, Mutex};

use agent_server::{AgentAppBuilder, HookResult};
use tokio::net::TcpListener;

use crate::app::echo;

type Steps = Arc<Mutex<Vec<&'static str>>>;

/// A hook that records its name and then returns this result.
fn step(
    steps: &Steps,
    name: &'static str,
    ends_well: bool,
) -> impl FnOnce() -> std::future::Ready<HookResult> + use<> {
    let steps = Arc::clone(steps);
    move || {
        steps.lock().expect("not poisoned").push(name);
        std::future::ready(if ends_well { Ok(()) } else { Err(name.into()) })
    }
}

/// Serves until a signal that has already arrived.
async fn serve(app: AgentAppBuilder) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    app.build().expect("built").serve(listener, async {}).await
}

#[tokio::test]
async fn hooks__several__run_in_order() {
    let steps = Steps::default();
    let app = echo()
        .on_start(step(&steps, "first", true))
        .on_stop(step(&steps, "third", false))
        .on_start(step(&steps, "second", true))
        .on_stop(step(&steps, "fourth", true));
    serve(app).await.expect("a stop hook that fails is only logged");
    assert_eq!(*steps.lock().expect("not poisoned"), ["first", "second", "third", "fourth"]);
}

#[tokio::test]
async fn start_hook__failure__prevents_start() {
    let steps = Steps::default();
    let app = echo()
        .on_start(step(&steps, "broken", false))
        .on_start(step(&steps, "never", true))
        .on_stop(step(&steps, "never", true));
    let error = serve(app).await.expect_err("it does not start");
    assert_eq!(error.to_string(), "broken");
    assert_eq!(*steps.lock().expect("not poisoned"), ["broken"]);
}
