//! Every text that a model is prompted with, and nothing else.

/// The system prompt of Qwen2.5-Math-PRM.
pub const QWEN_PRM_SYSTEM: &str = "Please reason step by step, and put your final answer within \\boxed{}.";

/// What the chat template of Llama 3.1 says without a system prompt; its date is fixed, so that scores are.
pub const LLAMA_3_SYSTEM: &str = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";

/// What stands around the question of ReasonEval.
pub const REASON_EVAL: [&str; 2] = ["Question:\n", "\nAnswer:\nLet's think step by step.\n"];
