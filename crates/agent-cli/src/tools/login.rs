//! `agent-server tools login`: somebody logs in to an MCP server, in a browser.

use std::convert::Infallible;
use std::io::BufRead;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::OnceLock;

use agent_runner::mcp::{McpLogin, McpServerConfig};
use anyhow::Context;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::complain;
use crate::cli::print;

/// The path on this machine to which the browser is redirected.
const PATH: &str = "/callback";

/// The page that the browser shows after the redirect.
const PAGE: &str = "The login continues in the terminal. You can close this window.\n";

/// Prints an address, and waits until a browser that has opened it comes back.
pub(super) async fn login(server: &McpServerConfig) -> anyhow::Result<ExitCode> {
    let port = server.auth.as_ref().map_or(0, |auth| auth.redirect_port);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.with_context(|| format!("cannot wait for the browser at port {port}"))?;
    let back = format!("http://{}", listener.local_addr()?);
    let login = McpLogin::begin(server, &format!("{back}{PATH}")).await?;
    print(&format!("To log in to {}, open this address in a browser:\n\n{}\n\n", server.name, login.url()))?;
    complain(
        "If the browser runs on another machine, it ends at a page that it cannot show. Paste the address of that \
         page here.",
    );
    let redirected = tokio::select! {
        target = redirect(&listener) => format!("{back}{}", target?),
        address = pasted() => address,
    };
    login.finish(&redirected).await?;
    print(&format!("The login to {} is stored.\n", server.name))?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for the redirected browser, and returns the target of its request. Browsers also open connections that they
/// never use.
async fn redirect(listener: &TcpListener) -> anyhow::Result<String> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                connections.spawn(serve(accepted?.0));
            }
            Some(served) = connections.join_next() => {
                if let Ok(Some(target)) = served {
                    return Ok(target);
                }
            }
        }
    }
}

/// Answers one request; the result is its target if it belongs to a login.
async fn serve(socket: TcpStream) -> Option<String> {
    let found = OnceLock::new();
    let answer = |request: Request<Incoming>| {
        let is_back = request.uri().path() == PATH;
        if is_back {
            // There is only one request.
            let _ = found.set(request.uri().to_string());
        }
        let mut response = Response::new(if is_back { PAGE.to_owned() } else { String::new() });
        if !is_back {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        async { Ok::<_, Infallible>(response) }
    };
    // A browser may close the connection at any time.
    let _ = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service_fn(answer))
        .await;
    found.into_inner()
}

/// An address that somebody pastes into the terminal.
async fn pasted() -> String {
    let (sender, pasted) = oneshot::channel();
    // Not a task: a runtime waits for blocking tasks, and a read from a terminal may never end.
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines().map_while(Result::ok);
        if let Some(line) = lines.map(|line| line.trim().to_owned()).find(|line| line.starts_with("http")) {
            // The browser may have come back meanwhile.
            let _ = sender.send(line);
        }
    });
    match pasted.await {
        Ok(address) => address,
        // The input has ended.
        Err(_) => std::future::pending().await,
    }
}
