//! The `Host` header: HTTP/1.1 requires it, once.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, Version};

use crate::app::{echo, router, send};

#[tokio::test]
async fn host__missing_repeated_or_malformed__is_400() {
    let router = router(echo());
    let of = |version: Version, hosts: &[&str]| {
        let request = Request::get("/health").version(version);
        let request = hosts.iter().fold(request, |request, host| request.header("host", *host));
        request.body(Body::empty()).expect("a request")
    };
    let bad: [(Version, &[&str]); 8] = [
        (Version::HTTP_11, &[]),
        (Version::HTTP_11, &["localhost", "localhost"]),
        (Version::HTTP_11, &["localhost", "evil.example"]),
        (Version::HTTP_10, &["localhost", "localhost"]),
        (Version::HTTP_11, &["local host"]),
        (Version::HTTP_11, &["me@localhost"]),
        (Version::HTTP_11, &["localhost/path"]),
        (Version::HTTP_11, &["localhost:99999999"]),
    ];
    for (version, hosts) in bad {
        let answer = send(&router, of(version, hosts)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{version:?} {hosts:?}: {answer:?}");
        assert_eq!(answer.json()["error"]["code"], "INVALID_HOST", "{version:?} {hosts:?}");
    }
    let good: [(Version, &[&str]); 4] = [
        (Version::HTTP_11, &["localhost:8080"]),
        (Version::HTTP_11, &["[::1]:80"]),
        (Version::HTTP_10, &[]),
        (Version::HTTP_10, &["127.0.0.1"]),
    ];
    for (version, hosts) in good {
        let answer = send(&router, of(version, hosts)).await;
        assert_eq!(answer.status, StatusCode::OK, "{version:?} {hosts:?}: {answer:?}");
    }
}
