//! Users, passwords and encryption.

use std::time::Duration;

use agent_services::redis::{RedisClient, RedisConfig, RedisSessionStore, SecretString};
use agent_services::session::SessionStore;
use agent_services::{Error, ErrorKind, Service, StoreContext};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::server::Server;
use super::{batch, chain, config, session, texts, user};

const SECRET: &str = "s3cr:t@/%";
const ENCODED: &str = "s3cr%3At%40%2F%25";

async fn try_with(config: RedisConfig) -> Result<(), Error> {
    let store = RedisSessionStore::new(RedisClient::new(config), StoreContext::default());
    store.start().await?;
    store.append(&user("u"), &session("s"), batch(&["a"])).await?;
    assert_eq!(texts(&store, "u", "s").await, ["a"]);
    Ok(())
}

async fn check_refused(config: RedisConfig, words: &str) {
    assert!(!format!("{config:?}").contains("s3cr"), "{config:?}");
    let error = try_with(config).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unexpected, "{}", chain(&error));
    assert!(error.to_string().contains(words), "{error}");
    assert!(!chain(&error).contains("s3cr"), "{}", chain(&error));
}

/// One user may use one prefix; nobody else may do anything.
fn options() -> [String; 14] {
    let user = ["app", "on", &format!(">{SECRET}"), "~app:*", "&*", "+@all", "-@dangerous", "+info"]
        .map(str::to_owned);
    let default = ["--user", "default", "off"].map(str::to_owned);
    let mut options = Vec::from(default);
    options.push("--user".to_owned());
    options.extend(user);
    options.extend(["--appendonly", "no"].map(str::to_owned));
    options.try_into().expect("as many as it says")
}

#[tokio::test(flavor = "multi_thread")]
async fn login__url_or_config__succeeds() {
    let options = options();
    let server = Server::start(&options.each_ref().map(String::as_str));
    let port = server.port;
    let app = |url: &str| config(url).with_prefix("app").expect("a prefix");
    try_with(app(&format!("redis://app:{ENCODED}@127.0.0.1:{port}"))).await.expect("logged in by URL");
    let by_setting = app(&server.url()).with_prefix("app:2").expect("a prefix");
    try_with(by_setting.with_login("app", &SecretString::from(SECRET))).await.expect("logged in by setting");

    check_refused(app(&server.url()), "configure a login").await;
    check_refused(app(&format!("redis://app:s3cret@127.0.0.1:{port}")), "check the login").await;
    check_refused(app(&server.url()).with_login("nobody", &SecretString::from(SECRET)), "check the login")
        .await;
    let other = config(&format!("redis://app:{ENCODED}@127.0.0.1:{port}"));
    check_refused(other, "lacks a permission").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login__password_only__is_the_default_user() {
    let server = Server::start(&["--requirepass", SECRET]);
    try_with(config(&format!("redis://:{ENCODED}@127.0.0.1:{}", server.port))).await.expect("logged in");
    check_refused(config(&server.url()), "configure a login").await;
    check_refused(config(&format!("redis://:s3cret@127.0.0.1:{}", server.port)), "check the login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login__cluster__succeeds() {
    let options = options();
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    options.extend([
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        "nodes.conf",
        "--cluster-port",
        "{second}",
    ]);
    options.extend(["--user", "admin", "on", "nopass", "+@all", "~*"]);
    let server = Server::start(&options);
    let mut admin = super::admin(&format!("redis://admin:any@127.0.0.1:{}", server.port)).await;
    let mut add = ::redis::cmd("CLUSTER");
    add.arg("ADDSLOTSRANGE").arg(0).arg(16_383).exec_async(&mut admin).await.expect("added");
    super::eventually("the cluster is complete", || {
        let mut admin = admin.clone();
        async move {
            let info: String =
                ::redis::cmd("CLUSTER").arg("INFO").query_async(&mut admin).await.expect("asked");
            info.contains("cluster_state:ok")
        }
    })
    .await;
    let app = |url: &str| config(url).with_prefix("app").expect("a prefix");
    check_refused(app(&format!("redis-cluster://app:s3cret@127.0.0.1:{}", server.port)), "check the login")
        .await;
    check_refused(app(&format!("redis-cluster://127.0.0.1:{}", server.port)), "configure a login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls__configured_authority__is_trusted() {
    let mut authority = CertificateParams::new(vec![]).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate =
        CertificateParams::new(names).expect("names").signed_by(&key, &authority).expect("signed");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("a plain path").to_owned()
    };
    let files = [
        write("ca.pem", authority.pem()),
        write("cert.pem", certificate.pem()),
        write("key.pem", key.serialize_pem()),
    ];
    let [ca, cert, key] = files.each_ref().map(String::as_str);
    let options =
        ["--tls-port", "{second}", "--tls-ca-cert-file", ca, "--tls-cert-file", cert, "--tls-key-file", key];
    let server = Server::start(&[&options[..], &["--tls-auth-clients", "no"]].concat());
    let tls_port = server.second_port;

    let encrypted = config(&format!("rediss://localhost:{tls_port}"));
    try_with(encrypted.clone().with_root_certificates(authority.pem())).await.expect("trusted");
    let by_number = config(&format!("rediss://127.0.0.1:{tls_port}"));
    try_with(by_number.with_root_certificates(authority.pem())).await.expect("trusted");
    check_refused(encrypted.clone(), "certificate").await;
    let error = try_with(encrypted.with_root_certificates("garbage")).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unexpected, "{}", chain(&error));
    // This server takes the bytes for the start of a command, and waits for the rest.
    let plain = config(&format!("rediss://localhost:{}", server.port));
    let plain = plain.with_timeouts(Duration::from_millis(500), Duration::from_millis(500));
    let error = try_with(plain.with_root_certificates(authority.pem())).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error));
}
