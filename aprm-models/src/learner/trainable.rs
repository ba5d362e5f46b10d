use super::LearnerError;
use crate::layout::Layout;

impl Layout {
    /// The layout of what an optimizer moves: frozen tensors have no entries in it, so they take no moments either.
    ///
    /// # Errors
    /// [`LearnerError`], if a name is not a tensor's, or names only a part of what lies in memory as one tensor.
    pub fn trainable<E>(&self, frozen: &[String]) -> Result<Self, LearnerError<E>> {
        let is_known = |name: &String| self.tensors.iter().flat_map(|spec| &spec.parts).any(|part| part.name == *name);
        if let Some(unknown) = frozen.iter().find(|name| !is_known(name)) {
            return Err(LearnerError::UnknownTensor(unknown.clone()));
        }
        let mut trainable = self.clone();
        for spec in &mut trainable.tensors {
            let (frozen, rest): (Vec<_>, Vec<_>) =
                spec.parts.iter().map(|part| part.name.clone()).partition(|name| frozen.contains(name));
            match (frozen.is_empty(), rest.is_empty()) {
                (true, _) => {}
                (false, true) => spec.parts.clear(),
                (false, false) => return Err(LearnerError::PartlyFrozen { frozen, trainable: rest }),
            }
        }
        Ok(trainable)
    }
}
