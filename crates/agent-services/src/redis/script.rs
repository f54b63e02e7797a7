//! Commands, and scripts, which are the atomic steps.

use ::redis::{Cmd, Script as Hashed, ToRedisArgs};

/// A Lua script, which a server knows by its hash once it has run it.
#[derive(Debug)]
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(code: &'static str) -> Self {
        Script { code, hash: Hashed::new(code).get_hash().to_owned() }
    }

    /// A call of the script with its keys. They must include everything that it touches; otherwise a cluster could move
    /// a key unnoticed.
    pub(super) fn with_keys(&'static self, keys: impl IntoIterator<Item = String>) -> Call {
        Call { script: self, keys: keys.into_iter().collect(), arguments: Vec::new() }
    }
}

/// Creates a static script from files of this folder: the common one, and others.
macro_rules! script {
    ($name:ident, $($file:literal),+) => {
        static $name: std::sync::LazyLock<$crate::redis::script::Script> = std::sync::LazyLock::new(|| {
            $crate::redis::script::Script::new(concat!(
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/common.lua")),
                $("\n", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/", $file)),)+
            ))
        });
    };
}
pub(super) use script;

/// A call of a script.
#[derive(Debug)]
pub(super) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    /// The same with one more argument.
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }
}

/// The request to Redis.
#[derive(Debug)]
pub(super) enum Request {
    Command(Cmd),
    Call(Call),
}

impl Request {
    /// The command to send; `with_code` if the server does not know the script yet.
    pub(super) fn command(&self, with_code: bool) -> Cmd {
        let call = match self {
            Request::Command(command) => return command.clone(),
            Request::Call(call) => call,
        };
        let mut command = Cmd::new();
        if with_code {
            command.arg("EVAL").arg(call.script.code);
        } else {
            command.arg("EVALSHA").arg(&call.script.hash);
        }
        command.arg(call.keys.len()).arg(&call.keys).arg(&call.arguments);
        command
    }
}

impl From<Cmd> for Request {
    fn from(command: Cmd) -> Self {
        Request::Command(command)
    }
}

impl From<Call> for Request {
    fn from(call: Call) -> Self {
        Request::Call(call)
    }
}
