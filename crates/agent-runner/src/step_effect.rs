//! What happens to steps that were cut off.

/// What it means to take a step again that was cut off, for example because the server died. A step that is done is never
/// taken again, whatever its effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepEffect {
    /// It changes nothing, so it may be taken again.
    Pure,
    /// Taking it twice has the same effect as taking it once, so it may be taken again.
    #[default]
    Idempotent,
    /// It may only be taken once: the run ends as `incomplete` and names the step.
    Once,
}
