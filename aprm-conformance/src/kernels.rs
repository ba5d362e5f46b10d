use aprm_core::backend::Backend;

use crate::failure::Failure;
use crate::suite::{self, Rig};

/// The one list of kernels: of it the enum, the dispatch and the tests of a backend are made.
#[doc(hidden)]
#[macro_export]
macro_rules! with_kernels {
    ($callback:ident! $($arguments:tt)*) => {
        $crate::$callback! {
            [$($arguments)*]
            Memory memory,
            AllocateBf16 allocate_bf16,
            Fill fill,
            Copy copy,
            Axpy axpy,
            Scale scale,
            SumOfSquares sum_of_squares,
            Clip clip,
            AdamDirection adam_direction,
            GatherRowsForward gather_rows_forward,
            GatherRowsBackward gather_rows_backward,
            LinearForward linear_forward,
            LinearBackwardInput linear_backward_input,
            LinearBackwardWeight linear_backward_weight,
            RmsNormForward rms_norm_forward,
            RmsNormBackward rms_norm_backward,
            RopeForward rope_forward,
            RopeBackward rope_backward,
            AttentionForward attention_forward,
            AttentionBackward attention_backward,
            CacheAppend cache_append,
            AttentionCached attention_cached,
            SwigluForward swiglu_forward,
            SwigluBackward swiglu_backward,
            ReluForward relu_forward,
            ReluBackward relu_backward,
            PolicyForward policy_forward,
            PolicyBackward policy_backward,
            Sample sample,
            ActionAdvantage action_advantage,
            Gae gae,
            ClippedSurrogate clipped_surrogate,
            SoftCrossEntropy soft_cross_entropy,
            SquaredError squared_error,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! make_kernels {
    ([] $($variant:ident $name:ident,)*) => {
        /// A method of [`Backend`], or its memory.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kernel {
            $(#[doc = concat!("`", stringify!($name), "`.")] $variant,)*
        }

        impl Kernel {
            /// Each of them, in the order of the trait.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name of the method.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)*
                }
            }
        }

        pub(crate) fn dispatch<B: Backend>(kernel: Kernel, rig: &mut Rig<B>) -> Result<(), Failure> {
            match kernel {
                $(Kernel::$variant => suite::$name(rig),)*
            }
        }
    };
}

with_kernels!(make_kernels!);
