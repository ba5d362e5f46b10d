//! From a prompt and steps to token ids and the positions at which the steps are judged.
//!
//! There is no other way to them: training and inference both come here, so they cannot differ.

mod error;

pub use error::{Place, SetupError, StepTextError};

use crate::prompts::{LLAMA_3_SYSTEM, QWEN_PRM_SYSTEM, REASON_EVAL};
use crate::read_out::ReadOut;
use crate::tokenizer::Tokenizer;

/// Token ids, and where in them each step is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkedIds {
    /// The sequence; it ends where its last step is judged, since nothing behind that is seen there.
    pub ids: Vec<u32>,
    /// One position for each step, ascending.
    pub positions: Vec<u32>,
}

/// What replaces a convention's own markers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkerOptions {
    /// What stands behind each step.
    pub marker: Option<String>,
    /// The token that says that a step is right, where classes are tokens.
    pub good_token: Option<String>,
    /// The token that says that it is wrong.
    pub bad_token: Option<String>,
}

/// A convention with a tokenizer: its markers are known to be what they must be.
pub struct StepText {
    tokenizer: Box<dyn Tokenizer>,
    frame: Frame,
    candidates: Option<[u32; 2]>,
}

/// What stands around prompt and steps.
enum Frame {
    /// Pieces are encoded apart, and a separator follows each step.
    Separated { begin: Option<u32>, behind_prompt: &'static str, separator: Vec<u32> },
    /// Qwen's ChatML; a special token follows each step.
    ChatMl { start: u32, end: u32, marker: u32 },
    /// One text; a word follows each step.
    Joined { begin: Option<u32>, word: String, marker: u32 },
    /// Llama 3's chat, in which each step is a turn and is answered.
    Llama3 { begin: u32, start: u32, end: u32, turn_end: u32, answer: Vec<u32> },
    /// Nothing follows a step.
    Bare { begin: Option<u32> },
}

impl StepText {
    /// Resolves the markers of a convention.
    ///
    /// # Errors
    /// [`SetupError`], if a marker is not one token of this tokenizer, or an option is given that the convention does
    /// not have.
    pub fn new(tokenizer: Box<dyn Tokenizer>, read_out: ReadOut, options: &MarkerOptions) -> Result<Self, SetupError> {
        let has_no_marker = matches!(read_out, ReadOut::Rlhflow | ReadOut::ReasonEval);
        if options.marker.is_some() && has_no_marker {
            return Err(SetupError::NoUse { option: "marker", read_out });
        }
        if (options.good_token.is_some() || options.bad_token.is_some()) && !read_out.reads_tokens() {
            return Err(SetupError::NoUse { option: "good or bad token", read_out });
        }
        let marker = |default| options.marker.as_deref().unwrap_or(default);
        let good = options.good_token.as_deref().unwrap_or("+");
        let begin = tokenizer.begin_of_text();
        let frame = match read_out {
            ReadOut::Trl => {
                let separator = match tokenizer.token_id(marker("\n")) {
                    Ok(id) => vec![id],
                    Err(_) => tokenizer.encode(marker("\n")).map_err(SetupError::Separator)?,
                };
                if separator.is_empty() {
                    return Err(SetupError::NoSeparator);
                }
                Frame::Separated { begin, behind_prompt: "", separator }
            }
            ReadOut::Skywork => Frame::Separated {
                begin: Some(begin.ok_or(SetupError::NoBeginOfText(read_out))?),
                behind_prompt: "\n",
                separator: vec![tokenizer.token_id(marker("\n"))?],
            },
            ReadOut::QwenPrm => Frame::ChatMl {
                start: tokenizer.token_id("<|im_start|>")?,
                end: tokenizer.token_id("<|im_end|>")?,
                marker: tokenizer.token_id(marker("<extra_0>"))?,
            },
            ReadOut::MathShepherd => {
                let marker = marker("ки");
                Frame::Joined { begin, word: marker.trim_start().into(), marker: tokenizer.token_id(marker)? }
            }
            ReadOut::Rlhflow => {
                let answer = tokenizer.encode(&format!("\n\n{good}")).map_err(SetupError::Separator)?;
                // The score is read before the answer, so something of the frame must stand there.
                if answer.len() < 2 || answer.last() != Some(&tokenizer.token_id(good)?) {
                    return Err(SetupError::Answer(good.into()));
                }
                Frame::Llama3 {
                    begin: begin.ok_or(SetupError::NoBeginOfText(read_out))?,
                    start: tokenizer.token_id("<|start_header_id|>")?,
                    end: tokenizer.token_id("<|end_header_id|>")?,
                    turn_end: tokenizer.token_id("<|eot_id|>")?,
                    answer,
                }
            }
            ReadOut::ReasonEval => Frame::Bare { begin },
        };
        let candidates = match read_out.reads_tokens() {
            true => {
                let bad = tokenizer.token_id(options.bad_token.as_deref().unwrap_or("-"))?;
                Some([bad, tokenizer.token_id(good)?])
            }
            false => None,
        };
        Ok(Self { tokenizer, frame, candidates })
    }

    /// The tokens that say that a step is wrong, and that it is right, where classes are tokens.
    pub fn candidates(&self) -> Option<[u32; 2]> {
        self.candidates
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        &*self.tokenizer
    }

    /// The token ids of a prompt and its steps.
    ///
    /// # Errors
    /// [`StepTextError`], naming the step.
    pub fn encode(&self, prompt: &str, steps: &[impl AsRef<str>]) -> Result<MarkedIds, StepTextError> {
        if steps.is_empty() {
            return Err(StepTextError::NoSteps);
        }
        let steps = steps.iter().map(AsRef::as_ref);
        let mut out = MarkedIds::default();
        match &self.frame {
            Frame::Separated { begin, behind_prompt, separator } => {
                out.ids.extend(begin);
                out.ids.extend(self.ids(Place::Prompt, &format!("{prompt}{behind_prompt}"))?);
                for (i, step) in steps.enumerate() {
                    out.ids.extend(self.ids(Place::Step(i), step)?);
                    out.ids.extend(separator);
                    out.mark(1);
                }
            }
            Frame::ChatMl { start, end, marker } => {
                let turns = [format!("system\n{QWEN_PRM_SYSTEM}"), format!("user\n{prompt}")];
                for turn in turns {
                    out.ids.push(*start);
                    out.ids.extend(self.ids(Place::Prompt, &turn)?);
                    out.ids.push(*end);
                    out.ids.extend(self.ids(Place::Prompt, "\n")?);
                }
                out.ids.push(*start);
                for (i, step) in steps.enumerate() {
                    let role = if i == 0 { "assistant\n" } else { "" };
                    out.ids.extend(self.ids(Place::Step(i), &format!("{role}{step}"))?);
                    out.ids.push(*marker);
                    out.mark(1);
                }
                out.expect(*marker)?;
            }
            Frame::Joined { begin, word, marker } => {
                let steps: Vec<String> = steps.map(|step: &str| format!("{step} {word}")).collect();
                out.ids.extend(begin);
                out.ids.extend(self.ids(Place::Solution, &format!("{prompt} {}", steps.join("\n")))?);
                let marked = out.ids.iter().enumerate().filter(|(_, id)| *id == marker);
                out.positions = marked.map(|(position, _)| position as u32).collect();
                if out.positions.len() != steps.len() {
                    let (steps, found) = (steps.len(), out.positions.len());
                    return Err(StepTextError::Markers { steps, found });
                }
            }
            Frame::Llama3 { begin, start, end, turn_end, answer } => {
                let role = |out: &mut MarkedIds, role: &str| -> Result<(), StepTextError> {
                    out.ids.push(*start);
                    out.ids.extend(self.ids(Place::Prompt, role)?);
                    out.ids.push(*end);
                    Ok(())
                };
                out.ids.push(*begin);
                role(&mut out, "system")?;
                out.ids.extend(self.ids(Place::Prompt, &format!("\n\n{LLAMA_3_SYSTEM}"))?);
                for (i, step) in steps.enumerate() {
                    let step = if i == 0 { format!("{prompt} {step}") } else { step.into() };
                    out.ids.push(*turn_end);
                    role(&mut out, "user")?;
                    // The template trims what is said.
                    out.ids.extend(self.ids(Place::Step(i), &format!("\n\n{}", step.trim()))?);
                    out.ids.push(*turn_end);
                    role(&mut out, "assistant")?;
                    out.ids.extend(answer);
                    out.mark(2);
                }
            }
            Frame::Bare { begin } => {
                let [before, after] = REASON_EVAL;
                out.ids.extend(begin);
                out.ids.extend(self.ids(Place::Prompt, &format!("{before}{prompt}{after}"))?);
                for (i, step) in steps.enumerate() {
                    let step = self.ids(Place::Step(i), step)?;
                    if step.is_empty() {
                        return Err(StepTextError::EmptyStep(i));
                    }
                    out.ids.extend(step);
                    out.mark(1);
                }
            }
        }
        out.ids.truncate(out.positions.last().map_or(0, |&last| last as usize + 1));
        Ok(out)
    }

    fn ids(&self, place: Place, text: &str) -> Result<Vec<u32>, StepTextError> {
        self.tokenizer.encode(text).map_err(|source| StepTextError::Encode { place, source })
    }
}

impl MarkedIds {
    /// A step is judged so many tokens before the end of what is there.
    fn mark(&mut self, before_end: usize) {
        self.positions.push((self.ids.len() - before_end) as u32);
    }

    /// The marker stands where steps are judged and nowhere else.
    fn expect(&self, marker: u32) -> Result<(), StepTextError> {
        let found = self.ids.iter().filter(|&&id| id == marker).count();
        let steps = self.positions.len();
        if found == steps { Ok(()) } else { Err(StepTextError::Markers { steps, found }) }
    }
}

impl core::fmt::Debug for StepText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StepText").field("candidates", &self.candidates).finish_non_exhaustive()
    }
}
