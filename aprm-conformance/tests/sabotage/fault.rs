use aprm_conformance::{Kernel, Law};

macro_rules! faults {
    ($($kernel:ident: $($fault:ident)*;)*) => {
        /// What a backend gets wrong, most of it seen in the wild.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($($fault,)*)*
        }

        impl Fault {
            pub(crate) const ALL: &[Self] = &[$($(Self::$fault,)*)*];

            /// The kernel that has it.
            pub(crate) const fn kernel(self) -> Kernel {
                match self {
                    $($(Self::$fault)|* => Kernel::$kernel,)*
                }
            }
        }

        /// Does not compile if a kernel has no fault.
        pub(crate) const fn has_a_fault(kernel: Kernel) {
            match kernel {
                $(Kernel::$kernel => (),)*
            }
        }
    };
}

faults! {
    Memory: AllocatesGarbage WritesAtZero ReadsAtZero;
    AllocateBf16: Bf16Truncates Bf16TiesUp Bf16HidesNan Bf16SwapsHalves Bf16DropsOddTail Bf16ChangesProducts
        Bf16ChangesGradients;
    Fill: FillForgetsLast;
    Copy: CopyWritesBeyond;
    Axpy: AxpyForgetsAlpha;
    Scale: ScaleHidesNan ScaleReadsBeyond;
    SumOfSquares: SumOverwrites SumVaries;
    Clip: ClipScalesUp ClipActsOnInfinity;
    AdamDirection: AdamForgetsBiasCorrection AdamForgetsEpsilon;
    GatherRowsForward: GatherTakesNextRow;
    GatherRowsBackward: GatherLosesRepeats GatherOverwrites;
    LinearForward: LinearForgetsBias LinearIgnoresAccumulate LinearReadsOut LinearDependsOnBatch LinearWritesBeyond;
    LinearBackwardInput: LinearInputIgnoresAccumulate;
    LinearBackwardWeight: LinearWeightOverwrites LinearBiasOverwrites LinearForgetsBiasGradient;
    RmsNormForward: NormForgetsEpsilon NormCountsStride NormWritesBetween;
    RmsNormBackward: NormForgetsMean NormIgnoresAccumulate NormWeightOverwrites;
    RopeForward: RopePairsNeighbours;
    RopeBackward: RopeTurnsForward;
    AttentionForward: AttentionSeesFuture AttentionRoundsByFuture AttentionSeesOtherSequences
        AttentionInterleavesHeads AttentionForgetsRoot;
    AttentionBackward: AttentionForgetsD AttentionBackwardCrossesSequences AttentionAccumulates;
    CacheAppend: CacheStoresNextPosition CacheSwapsKeysAndValues;
    AttentionCached: CacheForgetsItself;
    SwigluForward: SwigluSwapsHalves;
    SwigluBackward: SwigluForgetsSlope;
    ReluForward: ReluHidesNan ReluKeepsNegative;
    ReluBackward: ReluForgetsItWasOff;
    PolicyForward: PolicyNegatesEntropy PolicySwapsDivergence PolicyNanAtMask;
    PolicyBackward: PolicyForgetsEntropy PolicyForgetsDivergence;
    Sample: SampleIgnoresTemperature SampleKeepsOneMore SampleTempersLogProb SampleIgnoresUniform;
    ActionAdvantage: AdvantageIgnoresPolicy AdvantageForgetsBaseline AdvantageIgnoresAction;
    Gae: GaeForgetsGamma GaeForgetsLambda GaeFlowsOver GaeForgetsValue;
    ClippedSurrogate: SurrogateIsNeverClipped SurrogateClipsBothSides SurrogateFollowsAnyRatio;
    SoftCrossEntropy: CrossEntropyIgnoresWeights CrossEntropyNormalises;
    SquaredError: SquaredErrorForgetsHalf;
}

impl Fault {
    /// The law that it breaks before any other.
    pub(crate) const fn law(self) -> Law {
        match self {
            Self::CopyWritesBeyond | Self::LinearWritesBeyond => Law::StaysWithin,
            Self::SumVaries | Self::Bf16ChangesProducts | Self::Bf16ChangesGradients => Law::Repeats,
            Self::LinearDependsOnBatch => Law::StandsAlone,
            Self::ScaleHidesNan | Self::ReluHidesNan => Law::KeepsNan,
            Self::AttentionRoundsByFuture => Law::Causal,
            Self::SampleIgnoresTemperature | Self::SampleIgnoresUniform => Law::Frequencies,
            _ => Law::Agrees,
        }
    }
}
