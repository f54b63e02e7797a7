//! A server that greets.

use agent_runtime::prelude::*;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let greeter = agent_fn(async |run: RunHandle| {
        let mut text = run.message().text();
        text.delta("Hello! You said: ");
        text.delta(&run.request().last_user_text());
        Ok(())
    });
    let app = AgentApp::builder("greeter").agent("greeter", greeter).protocol(OpenAi).build()?;
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8081".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(app.serve(listener, ctrl_c).await?)
}
