use aprm_models::config::Head;
use aprm_models::read_out::ReadOut;
use clap::ValueEnum;

use super::PrmError;

/// The read-outs by the names that users give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReadOutName {
    /// Two classes at the newline behind a step.
    Trl,
    /// Two classes at <extra_0>, in ChatML.
    QwenPrm,
    /// The tokens + and - at ки.
    MathShepherd,
    /// The tokens + and - before the assistant's +.
    Rlhflow,
    /// One number at the newline behind a step.
    Skywork,
    /// Three classes at the last token of a step.
    ReasonEval,
}

const NAMES: [(ReadOutName, ReadOut); 6] = [
    (ReadOutName::Trl, ReadOut::Trl),
    (ReadOutName::QwenPrm, ReadOut::QwenPrm),
    (ReadOutName::MathShepherd, ReadOut::MathShepherd),
    (ReadOutName::Rlhflow, ReadOut::Rlhflow),
    (ReadOutName::Skywork, ReadOut::Skywork),
    (ReadOutName::ReasonEval, ReadOut::ReasonEval),
];

/// The read-out that is asked for, if the head can be read by it, or else the only one.
pub(super) fn read_out(asked: Option<ReadOutName>, head: Head) -> Result<ReadOut, PrmError> {
    let of_head = ReadOut::of_head(head);
    let choices = || {
        let names = NAMES.iter().filter(|(_, read_out)| of_head.contains(read_out));
        let names: Vec<String> =
            names.filter_map(|(name, _)| Some(name.to_possible_value()?.get_name().into())).collect();
        names.join(", ")
    };
    let asked = asked.and_then(|asked| NAMES.into_iter().find(|(name, _)| *name == asked));
    match (asked, of_head) {
        (Some((_, read_out)), of_head) if of_head.contains(&read_out) => Ok(read_out),
        (None, &[only]) => Ok(only),
        (_, []) => Err(PrmError::NoReadOut { head }),
        (Some((name, _)), _) => {
            let asked = name.to_possible_value().map_or_else(String::new, |name| name.get_name().into());
            Err(PrmError::OtherReadOut { asked, choices: choices() })
        }
        (None, _) => Err(PrmError::ReadOutInDoubt { choices: choices() }),
    }
}
