//! What a verifier is before it has learnt anything.

use aprm_models::aprm::config::ModelShape;
use aprm_models::aprm::model::{Role, graft};
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::row_scores::RowScores;
use aprm_models::aprm::streams::stream;
use aprm_models::step_text::MarkedIds;
use aprm_models::transformer::Transformer;
use aprm_ndarray::Cpu;

const VOCAB: usize = 20;
const HIDDEN: usize = 32;

/// How much the last of twenty tokens notices of another token so many places before it, through one head of a new layer
/// above layers that do nothing.
fn effects(head: usize) -> Vec<f32> {
    let mut cpu = Cpu::<f32>::new();
    let shape = ModelShape {
        hidden_size: HIDDEN,
        num_hidden_layers: 1,
        verifier_extra_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 16,
        ..ModelShape::default()
    };
    let [language_model, verifier] = [Role::LanguageModel, Role::Verifier].map(|role| {
        let Ok(model) = Transformer::new(&mut cpu, shape.config(role, VOCAB).unwrap());
        model
    });
    let mut rng = stream(1, 1);
    let Ok(mut weights) = initialize(&mut cpu, &language_model, &mut rng);
    let idle = &language_model.layout.layers[0];
    weights.0[idle.attention_out].fill(0.0);
    weights.0[idle.down].fill(0.0);
    let Ok(mut grafted) = graft(&mut cpu, &language_model, &weights, &verifier, &mut rng);
    let head_dim = HIDDEN / 2;
    for (i, entry) in grafted.0[verifier.layout.layers[1].attention_out].iter_mut().enumerate() {
        if i % HIDDEN / head_dim == head {
            *entry = (i as f32).sin();
        }
    }
    let score = verifier.layout.score[0].weight;
    grafted.0[score].iter_mut().enumerate().for_each(|(i, entry)| *entry = (i as f32).cos());

    let Ok(mut room) = RowScores::new(&mut cpu, &verifier, 64);
    let ids: Vec<u32> = (0..20).collect();
    let mut logit = |ids: Vec<u32>| {
        let last = MarkedIds { positions: vec![ids.len() as u32 - 1], ids };
        room.logits(&mut cpu, &verifier, &grafted, &[last]).unwrap()[0]
    };
    let unchanged = logit(ids.clone());
    let effect = |distance: usize| {
        let mut changed = ids.clone();
        changed[19 - distance] = (changed[19 - distance] + 7) % VOCAB as u32;
        (logit(changed) - unchanged).abs()
    };
    (1..12).map(effect).collect()
}

#[test]
fn half_of_a_new_layers_heads_look_at_the_token_before() {
    let sees_the_token_before =
        |effects: &[f32]| effects[0] > 1e-2 && effects[1..].iter().all(|e| *e < effects[0] / 20.0);
    let [looking_back, other] = [0, 1].map(effects);
    assert!(sees_the_token_before(&looking_back), "{looking_back:?}");
    assert!(!sees_the_token_before(&other), "the other head may look anywhere: {other:?}");
}
