//! Tests of URLs.

use super::*;

fn url(text: &str) -> StoreUrl {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn url__parts__are_parsed() {
    let redis = url("redis://u:p@h:1/2?prefix=a%3Ab&ttl_seconds=60");
    assert_eq!((redis.scheme(), redis.location()), ("redis", "//u:p@h:1/2"));
    let parameters = redis.parameters(&["prefix", "ttl_seconds", "other"]).expect("known");
    assert_eq!(parameters.get("prefix"), Some("a:b"));
    assert_eq!(parameters.read::<u64>("ttl_seconds", "a number").expect("a number"), Some(60));
    assert_eq!(parameters.read::<u64>("other", "a number").expect("absent"), None);
    assert!(parameters.read::<u64>("prefix", "a number").is_err());
    assert_eq!((url("memory:").scheme(), url("memory:").location()), ("memory", ""));
}

#[test]
fn path_url__any_path__round_trips() {
    for path in ["/a b/c", "a/b", "/50%/what?/é", "C:\\data", "/a@b"] {
        let of_path = StoreUrl::of_path("sqlite", Path::new(path)).expect("a URL");
        assert_eq!(of_path.path().expect("a path"), Path::new(path));
        of_path.parameters(&[]).expect("no parameters");
    }
    let doubled = StoreUrl::of_path("sqlite", Path::new("//a/b")).expect("a URL");
    assert_eq!(doubled.path().expect("a path"), Path::new("/a/b"));
    assert_eq!(url("sqlite:///a/b").path().expect("a path"), Path::new("/a/b"));
    for wrong in [
        "sqlite:",
        "sqlite://",
        "sqlite://a/b",
        "sqlite:?sync=full",
        "sqlite:a%2",
        "sqlite:a%zz",
        "sqlite:%ff",
    ] {
        assert!(url(wrong).path().is_err(), "{wrong}");
    }
    assert!(StoreUrl::of_path("sqlite", Path::new("")).is_err());
    let filled = |text: &str| url(text).or_path(Path::new("/a?")).expect("a URL").expose().to_owned();
    assert_eq!(filled("sqlite:?sync=full"), "sqlite:/a%3F?sync=full");
    assert_eq!(filled("sqlite:"), "sqlite:/a%3F");
    assert_eq!(filled("sqlite:b?sync=full"), "sqlite:b?sync=full");
}

#[test]
fn url__invalid_parameter__is_named() {
    for (text, what) in [
        ("x:?a=1&b=2", "no parameter `b`; the known parameters are a, c"),
        ("x:?a=1&a=2", "`a` is repeated"),
        ("x:?a", "no value"),
        ("x:?a=%f", "`a` is not UTF-8"),
    ] {
        let Err(error) = url(text).parameters(&["a", "c"]) else { panic!("{text}") };
        assert!(error.to_string().contains(what), "{text}: {error}");
    }
}

#[test]
fn url__debug_and_errors__hide_secrets() {
    for text in [
        "redis://u:s3cret@h",
        "redis://u:s3@cret@h/1?password=s3cret",
        "redis://u:p@h/1?prefix=s3+cret&ttl_seconds=7&pass=s3cret",
        "redis://u:s3?cret@h",
        "redis://u:s3?cret=s3cret@h",
        "redis://u:s3?a=1&s3cret=1",
        "x:u:s3cret@h",
        "x:h?password=s3cret",
        "x:h?S3CRET-s3cret=1",
        "s3cret",
        "S3cret:s3cret",
        "",
    ] {
        let mut shown = String::new();
        match text.parse::<StoreUrl>() {
            Ok(url) => {
                shown += &format!("{url} {url:?} {:?}", serde_json::to_string(&url));
                for error in [url.parameters(&["a"]).err(), url.path().err(), Some(url.fault("it"))] {
                    shown += &format!("{error:?}");
                }
            }
            Err(error) => shown += &format!("{error} {error:?}"),
        }
        assert!(!shown.contains("cret") && !shown.contains("CRET"), "{text}: {shown}");
    }
    assert_eq!(url("redis://u:p@h:1/2?prefix=a").to_string(), "redis://[redacted]@h:1/2?prefix=a");
    let mixed = url("redis://h?prefix=a&password=b&ttl_seconds=7").to_string();
    assert_eq!(mixed, "redis://h?prefix=a&[redacted]&ttl_seconds=7");
    assert_eq!(url("sqlite:/a/b").to_string(), "sqlite:/a/b");
    let read: StoreUrl = serde_json::from_str("\"redis://u:p@h\"").expect("a URL");
    assert_eq!(read.expose(), "redis://u:p@h");
}
