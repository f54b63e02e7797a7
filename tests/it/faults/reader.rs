//! A client that reads a run to its end, from one server after another.

use std::io;
use std::sync::Arc;

use agent_tests::history::{Event, EventId, History, Place, Reading, Refused, Told};
use agent_tests::{Answer, pause, within};
use tokio::sync::watch;

use super::World;
use super::addresses::ServerAddress;
use super::rng::Rng;
use super::wire::{Events, get, id_text, json_of};

/// When a reader cuts its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cuts {
    Never,
    /// Once, when it has this many events.
    Once(usize),
    /// After each of them.
    Always,
    /// Now and then.
    Sometimes,
}

impl Cuts {
    /// How many events to read over the next connection.
    fn next(&mut self, rng: &mut Rng) -> usize {
        match *self {
            Cuts::Never => usize::MAX,
            Cuts::Once(count) => {
                *self = Cuts::Never;
                count
            }
            Cuts::Always => 1,
            Cuts::Sometimes => 1 + rng.below(30),
        }
    }
}

/// The progress of the clients of a round.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The number of their events.
    pub(super) events: watch::Sender<usize>,
    /// The server that accepted their first request.
    pub(super) owner: watch::Sender<Option<usize>>,
}

/// A client, and its history.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) world: World,
    pub(super) rng: Rng,
    pub(super) history: History,
    pub(super) progress: Arc<Progress>,
    /// The server that it used last.
    last_server: Option<usize>,
}

impl Reader {
    pub(super) fn new(world: &World, rng: Rng, progress: &Arc<Progress>) -> Self {
        let (world, progress) = (world.clone(), Arc::clone(progress));
        Reader { world, rng, history: History::default(), progress, last_server: None }
    }

    pub(super) async fn server(&mut self) -> ServerAddress {
        let server = self.world.addresses.pick(&mut self.rng, self.last_server).await;
        self.last_server = Some(server.index);
        server
    }

    /// Sends a request to one server after another until it is answered with one of these statuses.
    pub(super) async fn ask(&mut self, request: &[u8], wanted: &[u16]) -> Answer {
        within("an answer", async {
            loop {
                let mut server = self.server().await;
                if let Ok(answer) = asked_once(&mut server, request).await {
                    if wanted.contains(&answer.status) {
                        return answer;
                    }
                    assert_eq!(answer.status, 503, "{}: {answer:?}", String::from_utf8_lossy(request));
                }
                pause().await;
            }
        })
        .await
    }

    /// Reads from after an event, or from the beginning, to the run's end.
    pub(super) async fn follow(&mut self, run: &str, mut last: Option<EventId>, mut cuts: Cuts) {
        within(&format!("the end of {run}"), async {
            loop {
                let from = last.map_or(Place::Beginning, Place::After);
                let mut server = self.server().await;
                match self.opened(&mut server, run, from).await {
                    Ok(Some(events)) => {
                        let read = self.read(run, from, events, &mut server, &mut cuts).await;
                        last = read.map(|(id, _)| id).or(last);
                        if read.is_some_and(|(_, is_end)| is_end) {
                            return;
                        }
                    }
                    // There is nothing to read, which the checker will report.
                    Ok(None) => return,
                    Err(_) => {}
                }
                if self.rng.below(4) == 0 {
                    self.ask_status(run).await;
                }
                pause().await;
            }
        })
        .await;
    }

    /// Requests a run's events; `None` if they are no longer kept.
    async fn opened(
        &mut self,
        server: &mut ServerAddress,
        run: &str,
        from: Place,
    ) -> io::Result<Option<Events>> {
        let (mut path, mut headers) = (format!("/runs/{run}/events"), String::new());
        if let Place::After(id) = from {
            if self.rng.below(2) == 0 {
                headers = format!("last-event-id: {}\r\n", id_text(id));
            } else {
                path = format!("{path}?after={}", id_text(id));
            }
        }
        let mut connection = server.connect().await?;
        connection.send(&get(&path, &headers)).await;
        match server.while_up(connection.try_head()).await?.status {
            200 => Ok(Some(Events::new(connection))),
            503 => Err(io::ErrorKind::NotConnected.into()),
            status => {
                self.history.refused.push(Refused { run: run.to_owned(), from, status });
                Ok(None)
            }
        }
    }

    /// Reads until the end, a cut, or a broken connection; returns the id of the last event and whether it is the end.
    pub(super) async fn read(
        &mut self,
        run: &str,
        from: Place,
        mut events: Events,
        server: &mut ServerAddress,
        cuts: &mut Cuts,
    ) -> Option<(EventId, bool)> {
        let most = cuts.next(&mut self.rng);
        let mut read: Vec<Event> = Vec::new();
        while read.len() < most && read.last().is_none_or(|event| event.end().is_none()) {
            match events.next(server).await {
                Ok(Some(event)) => read.push(event),
                Ok(None) | Err(_) => break,
            }
            self.progress.events.send_modify(|count| *count += 1);
        }
        let last = read.last().map(|event| (event.id, event.end().is_some()));
        self.history.readings.push(Reading { run: run.to_owned(), from, events: read });
        last
    }

    /// Reads a whole log over one connection.
    pub(super) async fn whole(&mut self, run: &str) -> Vec<Event> {
        within(&format!("the whole log of {run}"), async {
            loop {
                let mut server = self.server().await;
                if let Ok(Some(mut events)) = self.opened(&mut server, run, Place::Beginning).await {
                    let mut all: Vec<Event> = Vec::new();
                    let end = loop {
                        match events.next(&mut server).await {
                            Ok(Some(event)) => all.push(event),
                            Ok(None) => break true,
                            Err(_) => break false,
                        }
                    };
                    if end {
                        return all;
                    }
                }
                pause().await;
            }
        })
        .await
    }

    /// Asks for the status of a run, once.
    pub(super) async fn ask_status(&mut self, run: &str) {
        let mut server = self.server().await;
        let asked = self.world.clock.now();
        let Ok(answer) = asked_once(&mut server, &get(&format!("/runs/{run}"), "")).await else { return };
        if answer.status != 200 {
            assert_eq!(answer.status, 503, "{answer:?}");
            return;
        }
        let status = json_of(&answer.body)["status"].as_str().unwrap_or("-").to_owned();
        let answered = self.world.clock.now();
        self.history.told.push(Told { run: run.to_owned(), asked, answered, status });
    }
}

pub(super) async fn asked_once(server: &mut ServerAddress, request: &[u8]) -> io::Result<Answer> {
    let mut connection = server.connect().await?;
    connection.send(request).await;
    server.while_up(connection.try_answer()).await
}
