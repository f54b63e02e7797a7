//! Steps: what is taken again when a run is interrupted, and what is not.

use std::sync::Arc;

use agent_runner::{Agent, AgentError, Recovery, RunHandle, Runner, StepEffect};
use agent_schemas::{AgentResponse, Error, Status};
use async_trait::async_trait;
use parking_lot::Mutex;

use crate::support::{collect, final_response, runner, start};

/// Takes the steps `pure`, `idempotent` and `once`, and says their results. It is interrupted at the given points.
#[derive(Clone, Debug, Default)]
struct Fragile {
    interruptions: Vec<usize>,
    points: Arc<Mutex<usize>>,
    /// The steps that were taken, in order.
    taken: Arc<Mutex<Vec<&'static str>>>,
}

/// The points of one attempt: before each step, before and after its effect, and behind the last one.
const POINTS: usize = 10;

impl Fragile {
    /// A point at which the run may be interrupted.
    fn point(&self) -> Result<(), AgentError> {
        let mut points = self.points.lock();
        *points += 1;
        if self.interruptions.contains(&(*points - 1)) {
            return Err(AgentError::interrupted(Error::unknown("Crash", "the worker died")));
        }
        Ok(())
    }

    fn runner(&self) -> Runner {
        runner(self.clone())
    }

    async fn response(&self) -> AgentResponse {
        let runner = self.runner();
        let run = start(&runner, "go").await;
        final_response(&collect(run.cursor(0)).await).clone()
    }
}

#[async_trait]
impl Agent for Fragile {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let mut results = Vec::new();
        for (name, effect) in
            [("pure", StepEffect::Pure), ("idempotent", StepEffect::Idempotent), ("once", StepEffect::Once)]
        {
            self.point()?;
            let result = run.step(name, effect, async || {
                self.point()?;
                self.taken.lock().push(name);
                self.point()?;
                Ok(format!("result of {name}"))
            });
            results.push(result.await?);
        }
        self.point()?;
        run.say(&results.join(", "));
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        Recovery::StartOver
    }
}

const SAID: &str = "result of pure, result of idempotent, result of once";
const ALL: [&str; 3] = ["pure", "idempotent", "once"];

#[tokio::test]
async fn step__interrupted_at_any_point__follows_its_effect() {
    for point in 0..POINTS {
        let agent = Fragile { interruptions: vec![point], ..Fragile::default() };
        let response = agent.response().await;
        let taken = agent.taken.lock().clone();
        // The points 7 and 8 are before and after the effect of the last step.
        if point == 7 || point == 8 {
            assert_eq!(response.status, Status::Incomplete, "point {point}");
            let error = response.error.expect("a reason");
            assert!(error.message.contains("'once'"), "{error:?}");
            assert_eq!(taken, ALL[..if point == 7 { 2 } else { 3 }], "point {point}");
            continue;
        }
        assert_eq!(response.status, Status::Completed, "point {point}");
        assert_eq!(response.messages()[0].full_text(), SAID);
        let expected = match point {
            2 => vec!["pure", "pure", "idempotent", "once"],
            5 => vec!["pure", "idempotent", "idempotent", "once"],
            _ => ALL.to_vec(),
        };
        assert_eq!(taken, expected, "point {point}");
    }
}

#[tokio::test]
async fn run__interrupted_three_times__fails() {
    let agent = Fragile { interruptions: vec![0, 1, 2], ..Fragile::default() };
    let response = agent.response().await;
    assert_eq!(response.status, Status::Failed);
    let agent = Fragile { interruptions: vec![0, 1], ..Fragile::default() };
    assert_eq!(agent.response().await.status, Status::Completed);
}

/// Takes a step whose work fails the first time, and tries again.
#[derive(Debug)]
struct Retrying(StepEffect);

#[async_trait]
impl Agent for Retrying {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let denied = || Error::PermissionDenied { message: "not today".to_owned() };
        let failed = run.step("a", self.0, async || Err::<u64, _>(denied().into())).await;
        assert_eq!(failed.expect_err("it failed").as_error(), &denied());
        let again = run.step("a", self.0, async || Ok(7)).await;
        run.say(&again.map_or_else(|error| error.to_string(), |number: u64| number.to_string()));
        Ok(())
    }
}

#[tokio::test]
async fn step__failed__may_be_tried_again_unless_it_is_taken_once() {
    for (effect, said) in
        [(StepEffect::Pure, "7"), (StepEffect::Once, "the step 'a' was already taken in this run")]
    {
        let runner = runner(Retrying(effect));
        let events = collect(start(&runner, "go").await.cursor(0)).await;
        let text = final_response(&events).messages()[0].full_text();
        assert!(text.contains(said), "{text}");
    }
}
