//! The options of `agent-server runs`.

use clap::{ArgGroup, Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub(crate) struct RunsOptions {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
    /// Address of the running server, or of any server that shares its data
    #[arg(long, value_name = "URL", global = true, default_value = "http://127.0.0.1:8080")]
    pub(crate) server: String,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List a user's runs, newest first: id, status, creation time, agent, session, number of events
    List(ListOptions),
    /// Show a run and its answer
    Show {
        /// Id of the run
        #[arg(value_name = "RUN")]
        id: String,
        /// Print the run as a line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Follow a run to its end
    ///
    /// The answer goes to standard output, everything else to standard error. Reconnects and resumes if the connection is
    /// lost. Exits with 0 if the run completed, with 3 if it failed, with 4 if it was cancelled, with 5 if it is incomplete,
    /// and with 1 if the command could not follow it to its end.
    Tail(TailOptions),
    /// Cancel a run, or all runs of a session
    Cancel(CancelOptions),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ListOptions {
    /// User who owns the runs
    #[arg(long, alias = "user", value_name = "ID")]
    pub(crate) user_id: String,
    /// List only runs of this session
    #[arg(long, alias = "session", value_name = "ID")]
    pub(crate) session_id: Option<String>,
    /// List only runs with this status: queued, in_progress, completed, failed, canceled or incomplete
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Maximum number of runs
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print each run as a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TailOptions {
    /// Id of the run
    #[arg(value_name = "RUN")]
    pub(crate) id: String,
    /// Start after the event with this id, such as 57 or 57.2
    #[arg(long, value_name = "EVENT", requires = "json")]
    pub(crate) after: Option<String>,
    /// Print the events as they arrive, one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["id", "session_id"])))]
pub(crate) struct CancelOptions {
    /// Id of the run
    #[arg(value_name = "RUN")]
    pub(crate) id: Option<String>,
    /// All runs of this session that have not ended
    #[arg(long, alias = "session", value_name = "ID")]
    pub(crate) session_id: Option<String>,
    /// User who owns the session [default: the session's id, as for requests without a user]
    #[arg(long, alias = "user", value_name = "ID", requires = "session_id")]
    pub(crate) user_id: Option<String>,
}
