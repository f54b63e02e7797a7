//! The keys of runs: those that a run's id determines, and those of its user.

use agent_schemas::{RunId, SessionId, UserId};

use crate::redis::keys::{Keys, encode};
use crate::redis::script::{Call, Script};
use crate::run::tag;

/// The minimum number of characters after `run_`: anyone who knows an id may read the run, so it must not be short.
const MIN_CHARACTERS: usize = 36;

/// How many of the last characters are the tag.
const TAG: usize = 4;

/// The place of a run.
#[derive(Debug)]
pub(super) struct Place {
    root: String,
    base: String,
    id: String,
}

impl Place {
    /// The place that an id determines; `None` if no run can have this id.
    pub(super) fn of(keys: &Keys, id: &RunId) -> Option<Place> {
        let characters = id.as_str().strip_prefix("run_")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if characters.len() < MIN_CHARACTERS || !characters.bytes().all(is_plain) {
            return None;
        }
        let tag = &characters[characters.len() - TAG..];
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let place = || Place { root: keys.root(), base: keys.of_tag(tag), id: id.as_str().to_owned() };
        tag.bytes().all(is_digit).then(place)
    }

    /// The same if the tag is this user's.
    pub(super) fn of_user(keys: &Keys, id: &RunId, user: &UserId) -> Option<Place> {
        Place::of(keys, id).filter(|_| id.as_str().ends_with(&tag(user)))
    }

    /// The tag in the id.
    pub(super) fn tag(&self) -> &str {
        &self.id[self.id.len() - TAG..]
    }

    /// The key of the run.
    pub(super) fn key(&self) -> String {
        run_key(&self.base, &self.id)
    }

    /// A call of a script about the run.
    pub(super) fn call(&self, script: &'static Script, name: &str) -> Call {
        self.call_with(script, name, [])
    }

    /// The same with more keys.
    pub(super) fn call_with<const N: usize>(
        &self,
        script: &'static Script,
        name: &str,
        more: [Option<String>; N],
    ) -> Call {
        let run = self.key();
        let keys = [run.clone(), format!("{run}:log"), unfinished(&self.base)];
        let call = script.with_keys(keys.into_iter().chain(more.into_iter().flatten()));
        call.arg(&self.root).arg(&self.base).arg(&self.id).arg(name)
    }

    /// The queue of a session, the runs of a user, the last number, and an idempotency key.
    pub(super) fn keys_to_create(
        &self,
        user: &UserId,
        session: &SessionId,
        key: Option<&str>,
    ) -> [Option<String>; 4] {
        let (base, user, session) = (&self.base, encode(user.as_str()), encode(session.as_str()));
        [
            Some(format!("{base}turns:{user}:{session}")),
            Some(format!("{base}runs:{user}")),
            Some(format!("{base}runs-last")),
            key.map(|key| format!("{base}key:{user}:{}", encode(key))),
        ]
    }
}

/// A call of a script about the runs of one tag, with keys that begin with the tag.
pub(super) fn call(
    keys: &Keys,
    tag: &str,
    script: &'static Script,
    own: impl IntoIterator<Item = String>,
) -> Call {
    let base = keys.of_tag(tag);
    let call = script.with_keys(own.into_iter().map(|key| format!("{base}{key}")));
    call.arg(keys.root()).arg(&base).arg("").arg("")
}

fn run_key(base: &str, id: &str) -> String {
    format!("{base}run:{id}")
}

fn unfinished(base: &str) -> String {
    format!("{base}unfinished")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place__id_without_tag__is_none() {
        let keys = Keys::new("p");
        let long = "0".repeat(32);
        let good = format!("run_{long}8249");
        let place = Place::of(&keys, &RunId::new(good.clone())).expect("a place");
        assert_eq!((place.tag(), &place.base[..]), ("8249", "p:v2:default:{8249}:"));
        assert!(Place::of_user(&keys, &RunId::new(good.clone()), &UserId::new("ann")).is_some());
        assert!(Place::of_user(&keys, &RunId::new(good), &UserId::new("bob")).is_none());
        let bad =
            ["run_8249", &format!("run_{long}824G"), &format!("run_{long}:8249"), &format!("{long}8249")];
        assert!(bad.iter().all(|id| Place::of(&keys, &RunId::new(*id)).is_none()));
        assert!(Place::of(&keys, &RunId::new(format!("run_{long}{long}é249"))).is_none());
    }
}
