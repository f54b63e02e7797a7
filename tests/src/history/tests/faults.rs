//! Faults that can be injected into a good history.

use serde_json::json;

use super::super::*;
use super::good::push;

/// A fault and the expected violation.
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// Injects it somewhere; returns whether that was possible.
    pub(super) commit: fn(&mut History, usize) -> bool,
    pub(super) is_it: fn(&Violation) -> bool,
}

macro_rules! faults {
    ($($name:ident => $kind:ident,)*) => {
        pub(super) const FAULTS: &[Fault] = &[$(Fault {
            name: stringify!($name),
            commit: $name,
            is_it: |violation| matches!(violation, Violation::$kind { .. }),
        }),*];
    };
}

faults! {
    a_reader_misses_an_event => Gap,
    a_reader_misses_what_followed_its_position => Gap,
    a_log_misses_an_event => Gap,
    a_reader_is_given_an_event_twice => Repeated,
    a_reader_is_given_its_last_event_again => Repeated,
    a_log_has_an_event_twice => Repeated,
    events_change_places => Reordered,
    an_epoch_comes_back => Reordered,
    an_event_has_the_number_of_another => Misnumbered,
    a_log_has_no_end => NoEnd,
    a_log_ends_twice => ManyEnds,
    a_log_goes_on => AfterEnd,
    a_status_is_not_the_log_s => NotAsLogged,
    a_count_is_not_the_log_s => NotAsLogged,
    a_page_has_another_event => PagesDiffer,
    the_last_page_is_missing => PagesDiffer,
    a_seen_event_is_gone => Vanished,
    a_seen_event_is_another => Changed,
    a_seen_event_is_of_another_epoch => Changed,
    a_position_is_gone => Refused,
    a_run_is_gone => Unknown,
    a_run_that_was_to_stop_completes => NotCanceled,
    a_deleted_run_is_there => NotDeleted,
    a_run_goes_on_after_its_end => Revived,
    a_run_ends_twice => Revived,
    an_old_owner_writes => LateWrite,
    two_write_at_once => TwoAtOnce,
    two_are_in_progress => TwoAtOnce,
    somebody_pushes_in => OutOfTurn,
    an_interruption_waits => NotNext,
    a_repetition_is_another_run => TwoRuns,
    a_key_is_shared => KeyShared,
    a_key_is_refused => KeyRefused,
    a_request_is_answered_twice => AnsweredTwice,
    a_request_is_not_answered => Unanswered,
    what_was_handed_over_is_lost => Dropped,
    a_session_says_something_twice => SaidTwice,
    a_session_forgets => Forgotten,
    a_session_mixes_up => SaidOutOfOrder,
}

fn any<T>(items: &mut [T], place: usize) -> &mut T {
    let place = place % items.len();
    &mut items[place]
}

/// Any reading, and the position of one of its events that has others before and after it.
fn amid(history: &mut History, place: usize) -> Option<(&mut Reading, usize)> {
    let mut long: Vec<&mut Reading> =
        history.readings.iter_mut().filter(|reading| reading.events.len() > 2).collect();
    let chosen = place.checked_rem(long.len())?;
    let reading = long.swap_remove(chosen);
    let position = 1 + place % (reading.events.len() - 2);
    Some((reading, position))
}

fn resumed(history: &mut History, place: usize) -> Option<&mut Reading> {
    let is_resumed =
        |reading: &Reading| matches!(reading.from, Place::After(_)) && !reading.events.is_empty();
    let mut all: Vec<&mut Reading> =
        history.readings.iter_mut().filter(|reading| is_resumed(reading)).collect();
    let chosen = place.checked_rem(all.len())?;
    Some(all.swap_remove(chosen))
}

fn a_reader_misses_an_event(history: &mut History, place: usize) -> bool {
    amid(history, place).is_some_and(|(reading, position)| {
        reading.events.remove(position);
        true
    })
}

fn a_reader_misses_what_followed_its_position(history: &mut History, place: usize) -> bool {
    resumed(history, place).filter(|reading| reading.events.len() > 1).is_some_and(|reading| {
        reading.events.remove(0);
        true
    })
}

fn a_log_misses_an_event(history: &mut History, place: usize) -> bool {
    let log = &mut any(&mut history.kept, place).log;
    log.remove(place % (log.len() - 1));
    true
}

fn a_reader_is_given_an_event_twice(history: &mut History, place: usize) -> bool {
    amid(history, place).is_some_and(|(reading, position)| {
        let event = reading.events[position].clone();
        reading.events.insert(position, event);
        true
    })
}

fn a_reader_is_given_its_last_event_again(history: &mut History, place: usize) -> bool {
    let kept = history.kept.clone();
    resumed(history, place).is_some_and(|reading| {
        let log = kept.iter().find(|kept| kept.run == reading.run).map(|kept| &kept.log);
        let first = usize::try_from(reading.events[0].id.number).unwrap_or_default();
        reading.events.insert(0, log.expect("kept")[first - 1].clone());
        true
    })
}

fn a_log_has_an_event_twice(history: &mut History, place: usize) -> bool {
    let log = &mut any(&mut history.kept, place).log;
    let position = place % log.len();
    log.insert(position, log[position].clone());
    true
}

fn events_change_places(history: &mut History, place: usize) -> bool {
    amid(history, place).is_some_and(|(reading, position)| {
        reading.events.swap(position, position + 1);
        true
    })
}

fn an_epoch_comes_back(history: &mut History, place: usize) -> bool {
    let mut later: Vec<&mut Event> = history
        .kept
        .iter_mut()
        .filter_map(|kept| kept.log.last_mut())
        .filter(|last| last.id.epoch > 1)
        .collect();
    place.checked_rem(later.len()).is_some_and(|chosen| {
        later[chosen].id.epoch -= 1;
        true
    })
}

fn an_event_has_the_number_of_another(history: &mut History, place: usize) -> bool {
    let log = &mut any(&mut history.kept, place).log;
    any(log, place).json["sequence_number"] = json!(1000);
    true
}

fn a_log_has_no_end(history: &mut History, place: usize) -> bool {
    any(&mut history.kept, place).log.pop().is_some()
}

fn a_log_ends_twice(history: &mut History, place: usize) -> bool {
    push(&mut any(&mut history.kept, place).log, 1, &json!({ "object": "response", "status": "incomplete" }));
    true
}

fn a_log_goes_on(history: &mut History, place: usize) -> bool {
    push(&mut any(&mut history.kept, place).log, 1, &json!({ "object": "message", "status": "in_progress" }));
    true
}

fn a_status_is_not_the_log_s(history: &mut History, place: usize) -> bool {
    any(&mut history.kept, place).status = "in_progress".to_owned();
    true
}

fn a_count_is_not_the_log_s(history: &mut History, place: usize) -> bool {
    any(&mut history.kept, place).count += 1;
    true
}

fn a_page_has_another_event(history: &mut History, place: usize) -> bool {
    any(&mut any(&mut history.kept, place).pages, place)["text"] = json!("other");
    true
}

fn the_last_page_is_missing(history: &mut History, place: usize) -> bool {
    any(&mut history.kept, place).pages.pop().is_some()
}

fn a_seen_event_is_gone(history: &mut History, place: usize) -> bool {
    any(&mut history.kept, place).log.pop().is_some()
}

fn a_seen_event_is_another(history: &mut History, place: usize) -> bool {
    amid(history, place).is_some_and(|(reading, position)| {
        reading.events[position].json["text"] = json!("other");
        true
    })
}

fn a_seen_event_is_of_another_epoch(history: &mut History, place: usize) -> bool {
    amid(history, place).is_some_and(|(reading, position)| {
        reading.events.drain(..position);
        for event in &mut reading.events {
            event.id.epoch += 1;
        }
        true
    })
}

fn a_position_is_gone(history: &mut History, place: usize) -> bool {
    let Reading { run, from, .. } = any(&mut history.readings, place).clone();
    history.refused.push(Refused { run, from, status: 410 });
    true
}

fn a_run_is_gone(history: &mut History, place: usize) -> bool {
    let place = place % history.kept.len();
    history.kept.remove(place);
    true
}

fn a_run_goes_on_after_its_end(history: &mut History, place: usize) -> bool {
    let last = any(&mut history.told, place).clone();
    let (asked, answered) = (last.answered + 1, last.answered + 2);
    history.told.push(Told { asked, answered, status: "in_progress".to_owned(), ..last });
    true
}

fn a_run_that_was_to_stop_completes(history: &mut History, place: usize) -> bool {
    let run = any(&mut history.kept, place).run.clone();
    history.canceled.push(run);
    true
}

fn a_deleted_run_is_there(history: &mut History, place: usize) -> bool {
    let run = any(&mut history.kept, place).run.clone();
    history.deleted.push(run);
    true
}

fn a_run_ends_twice(history: &mut History, place: usize) -> bool {
    // Not the deleted one, because the store does not have it.
    let place = place % history.kept.len();
    any(&mut history.told, place).status = "canceled".to_owned();
    true
}

/// Moves the agent's last word of a run to another moment.
fn mark_last(kept: &mut StoredRun, moment: Moment) {
    let mut marked: Vec<&mut Event> =
        kept.log.iter_mut().filter(|event| event.marks().next().is_some()).collect();
    if let Some(last) = marked.last_mut() {
        last.json["text"] = format!("@{moment}").into();
    }
}

fn marks(kept: &StoredRun) -> Vec<Moment> {
    kept.marks().map(|(_, mark)| mark).collect()
}

fn an_old_owner_writes(history: &mut History, place: usize) -> bool {
    let kept = any(&mut history.kept, place);
    let earlier = marks(kept)[0];
    mark_last(kept, earlier);
    true
}

fn two_write_at_once(history: &mut History, place: usize) -> bool {
    let place = place % history.kept.len();
    let own = marks(&history.kept[place])[0];
    let others: Vec<&StoredRun> = history.kept.iter().filter(|other| marks(other)[0] > own).collect();
    let Some(other) = others.first().map(|other| marks(other)[0]) else { return false };
    mark_last(&mut history.kept[place], other + 1);
    true
}

fn two_are_in_progress(history: &mut History, place: usize) -> bool {
    let place = place % history.kept.len();
    let own = marks(&history.kept[place])[0];
    let Some(other) = history.kept.iter().map(|other| marks(other)[0]).find(|first| *first > own) else {
        return false;
    };
    let (run, status) = (history.kept[place].run.clone(), "in_progress".to_owned());
    history.told.push(Told { run, asked: other + 1, answered: other + 2, status });
    true
}

fn somebody_pushes_in(history: &mut History, _: usize) -> bool {
    let enqueued: Vec<String> = history
        .kept
        .iter()
        .filter(|kept| history.policy_of(&kept.run) == Policy::Enqueue)
        .map(|kept| kept.run.clone())
        .collect();
    let [.., second, last] = enqueued.as_slice() else { return false };
    // Created in a different order than they began.
    let place = |run: &str| history.kept.iter().position(|kept| kept.run == run).unwrap_or_default();
    let (second, last) = (place(second), place(last));
    history.kept.swap(second, last);
    true
}

fn an_interruption_waits(history: &mut History, _: usize) -> bool {
    let count = history.kept.len();
    let (waiting, interrupting) = (&history.kept[1], &history.kept[count - 2]);
    if history.policy_of(&waiting.run) != Policy::Enqueue {
        return false;
    }
    // They swap their turns.
    let (first, second) = (marks(interrupting)[0], marks(waiting)[0]);
    for (run, moment) in [(waiting.run.clone(), first), (interrupting.run.clone(), second)] {
        let kept = history.kept.iter_mut().find(|kept| kept.run == run).expect("kept");
        for event in &mut kept.log {
            if event.marks().next().is_some() {
                event.json["text"] = format!("@{moment}").into();
            }
        }
    }
    true
}

fn keyed(history: &mut History, place: usize) -> Option<&mut Submission> {
    let mut keyed: Vec<&mut Submission> = history
        .asked
        .iter_mut()
        .filter(|asked| asked.key.is_some() && asked.run().is_some() && asked.policy != Policy::Steer)
        .collect();
    let chosen = place.checked_rem(keyed.len())?;
    Some(keyed.swap_remove(chosen))
}

fn a_repetition_is_another_run(history: &mut History, place: usize) -> bool {
    let (first, second) = (history.kept[0].run.clone(), history.kept[1].run.clone());
    keyed(history, place).is_some_and(|asked| {
        let other = if asked.run() == Some(&first) { second } else { first };
        asked.reply = Reply::Accepted(other);
        true
    })
}

fn a_key_is_shared(history: &mut History, place: usize) -> bool {
    let Some(key) = keyed(history, place).and_then(|asked| asked.key.clone()) else { return false };
    let run = history.kept[0].run.clone();
    let refused =
        history.asked.iter_mut().find(|asked| asked.key.as_ref() == Some(&key) && asked.body == "another");
    refused.is_some_and(|asked| {
        asked.reply = Reply::Accepted(run);
        true
    })
}

fn a_key_is_refused(history: &mut History, place: usize) -> bool {
    let Some(key) = keyed(history, place).and_then(|asked| asked.key.clone()) else { return false };
    history.asked.retain(|asked| asked.key.as_ref() != Some(&key) || asked.body != "another");
    keyed(history, place).is_some_and(|asked| {
        asked.reply = Reply::Refused("IDEMPOTENCY_KEY_REUSED".to_owned());
        true
    })
}

fn a_request_is_answered_twice(history: &mut History, place: usize) -> bool {
    let place = place % history.kept.len();
    let other = (place + 1) % history.kept.len();
    let tag = history.kept[place].log.iter().flat_map(Event::tags).next().map(str::to_owned);
    let message =
        json!({ "object": "message", "role": "user", "content": [{ "text": tag.expect("a tag") }] });
    let log = &mut history.kept[other].log;
    let id = log[1].id;
    log.insert(1, Event { id, json: message });
    true
}

fn a_request_is_not_answered(history: &mut History, place: usize) -> bool {
    let place = place % (history.kept.len() - 1);
    for event in &mut history.kept[place].log {
        if let Some(text) = event.json["text"].as_str() {
            event.json["text"] = text.replace('#', "").into();
        }
    }
    true
}

fn what_was_handed_over_is_lost(history: &mut History, _: usize) -> bool {
    history.kept.pop().is_some()
}

fn a_session_says_something_twice(history: &mut History, place: usize) -> bool {
    let tags = &mut history.said[0].tags;
    let tag = any(tags, place).clone();
    tags.push(tag);
    true
}

fn a_session_forgets(history: &mut History, place: usize) -> bool {
    let count = history.kept.len();
    let tag = format!("tag{}", place % (count - 1));
    history.said[0].tags.retain(|known| *known != tag);
    true
}

fn a_session_mixes_up(history: &mut History, _: usize) -> bool {
    history.said[0].tags.reverse();
    true
}
