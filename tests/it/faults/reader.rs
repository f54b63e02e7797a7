//! A client that reads a run to its end, from one server after the other.

use std::io;
use std::sync::Arc;

use agent_tests::history::{Event, EventId, History, Place, Reading, Refused, Told};
use agent_tests::{Answer, pause, within};
use tokio::sync::watch;

use super::World;
use super::dice::Dice;
use super::doors::Door;
use super::wire::{Events, get, id_text, json_of};

/// When a reader cuts its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cuts {
    Never,
    /// Once, when it has so many events.
    Once(usize),
    /// After each of them.
    Always,
    /// Now and then.
    Sometimes,
}

impl Cuts {
    /// How many events the next connection is to bring.
    fn next(&mut self, dice: &mut Dice) -> usize {
        match *self {
            Cuts::Never => usize::MAX,
            Cuts::Once(count) => {
                *self = Cuts::Never;
                count
            }
            Cuts::Always => 1,
            Cuts::Sometimes => 1 + dice.roll(30),
        }
    }
}

/// How far the clients of a round are.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How many events they have.
    pub(super) events: watch::Sender<usize>,
    /// The server that took their first request.
    pub(super) owner: watch::Sender<Option<usize>>,
}

/// A client, and all that it has experienced.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) world: World,
    pub(super) dice: Dice,
    pub(super) history: History,
    pub(super) progress: Arc<Progress>,
    /// The server that it used last.
    last_door: Option<usize>,
}

impl Reader {
    pub(super) fn new(world: &World, dice: Dice, progress: &Arc<Progress>) -> Self {
        let (world, progress) = (world.clone(), Arc::clone(progress));
        Reader { world, dice, history: History::default(), progress, last_door: None }
    }

    pub(super) async fn door(&mut self) -> Door {
        let door = self.world.doors.pick(&mut self.dice, self.last_door).await;
        self.last_door = Some(door.index);
        door
    }

    /// Sends a request to one server after the other until it is answered with one of these statuses.
    pub(super) async fn ask(&mut self, request: &[u8], wanted: &[u16]) -> Answer {
        within("an answer", async {
            loop {
                let mut door = self.door().await;
                if let Ok(answer) = asked_once(&mut door, request).await {
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

    /// Reads on behind an event, or from the beginning, to the run's end.
    pub(super) async fn follow(&mut self, run: &str, mut last: Option<EventId>, mut cuts: Cuts) {
        within(&format!("the end of {run}"), async {
            loop {
                let from = last.map_or(Place::Beginning, Place::After);
                let mut door = self.door().await;
                match self.opened(&mut door, run, from).await {
                    Ok(Some(events)) => {
                        let read = self.read(run, from, events, &mut door, &mut cuts).await;
                        last = read.map(|(id, _)| id).or(last);
                        if read.is_some_and(|(_, is_end)| is_end) {
                            return;
                        }
                    }
                    // There is nothing to read, and that will be complained of.
                    Ok(None) => return,
                    Err(_) => {}
                }
                if self.dice.roll(4) == 0 {
                    self.be_told(run).await;
                }
                pause().await;
            }
        })
        .await;
    }

    /// Asks for a run's events; `None` if there are none any more.
    async fn opened(&mut self, door: &mut Door, run: &str, from: Place) -> io::Result<Option<Events>> {
        let (mut path, mut headers) = (format!("/runs/{run}/events"), String::new());
        if let Place::After(id) = from {
            if self.dice.roll(2) == 0 {
                headers = format!("last-event-id: {}\r\n", id_text(id));
            } else {
                path = format!("{path}?after={}", id_text(id));
            }
        }
        let mut connection = door.connect().await?;
        connection.send(&get(&path, &headers)).await;
        match door.inside(connection.try_head()).await?.status {
            200 => Ok(Some(Events::new(connection))),
            503 => Err(io::ErrorKind::NotConnected.into()),
            status => {
                self.history.refused.push(Refused { run: run.to_owned(), from, status });
                Ok(None)
            }
        }
    }

    /// Reads until the end, a cut, or a broken connection; gives the id of the last event and whether it is the end.
    pub(super) async fn read(
        &mut self,
        run: &str,
        from: Place,
        mut events: Events,
        door: &mut Door,
        cuts: &mut Cuts,
    ) -> Option<(EventId, bool)> {
        let most = cuts.next(&mut self.dice);
        let mut read: Vec<Event> = Vec::new();
        while read.len() < most && read.last().is_none_or(|event| event.end().is_none()) {
            match events.next(door).await {
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
                let mut door = self.door().await;
                if let Ok(Some(mut events)) = self.opened(&mut door, run, Place::Beginning).await {
                    let mut all: Vec<Event> = Vec::new();
                    let end = loop {
                        match events.next(&mut door).await {
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

    /// Asks once how a run is.
    pub(super) async fn be_told(&mut self, run: &str) {
        let mut door = self.door().await;
        let asked = self.world.clock.now();
        let Ok(answer) = asked_once(&mut door, &get(&format!("/runs/{run}"), "")).await else { return };
        if answer.status != 200 {
            assert_eq!(answer.status, 503, "{answer:?}");
            return;
        }
        let status = json_of(&answer.body)["status"].as_str().unwrap_or("-").to_owned();
        let answered = self.world.clock.now();
        self.history.told.push(Told { run: run.to_owned(), asked, answered, status });
    }
}

pub(super) async fn asked_once(door: &mut Door, request: &[u8]) -> io::Result<Answer> {
    let mut connection = door.connect().await?;
    connection.send(request).await;
    door.inside(connection.try_answer()).await
}
