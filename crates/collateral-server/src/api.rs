//! Questions are answered: from memory at once, else by whoever knows.

use std::sync::Arc;
use std::time::Instant;

use collateral::{Source, SourceError};
use tokio::task::{JoinError, spawn_blocking};

use crate::answer::Answer;
use crate::keeper::PATIENCE;
use crate::memory::{Memory, Recollection};
use crate::metrics::{Lookup, Metrics};
use crate::question::Question;
use crate::refusal::Refusal;

/// What answers questions. Clones share all of it.
#[derive(Clone)]
pub(crate) struct Api {
    source: Arc<dyn Source>,
    /// `None` where answers are made as fast as they are remembered, and may change at any time.
    memory: Option<Arc<Memory>>,
    metrics: Metrics,
}

impl Api {
    /// Answers with what this source says at the time.
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, memory: None, metrics: Metrics::default() }
    }

    /// Answers with what this source says, or said up to a second ago.
    pub(crate) fn with_memory(source: Arc<dyn Source>, metrics: Metrics) -> Self {
        Self { source, memory: Some(Arc::default()), metrics }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Forgets what was answered.
    pub(crate) fn forget(&self) {
        if let Some(memory) = &self.memory {
            memory.clear();
        }
    }

    /// The answer to a question. Nothing here waits for a disk or a network but on a thread that is for waiting.
    pub(crate) async fn answer(&self, question: Question) -> Result<Answer, Refusal> {
        let recollection = self.memory.as_ref().map(|memory| memory.recall(&question.key()));
        match recollection.unwrap_or(Recollection::Nothing) {
            Recollection::Fresh(answer) => {
                self.metrics.looked_up(Lookup::Hit);
                Ok(answer)
            }
            Recollection::Aging(answer) => {
                self.metrics.looked_up(Lookup::Hit);
                let api = self.clone();
                spawn_blocking(move || api.find(&question));
                Ok(answer)
            }
            Recollection::Nothing => {
                self.metrics.looked_up(Lookup::Miss);
                let api = self.clone();
                blocking(move || Ok(api.find(&question)?)).await
            }
        }
    }

    /// Asks the source, and remembers what it says.
    fn find(&self, question: &Question) -> Result<Answer, SourceError> {
        let now = Instant::now();
        let deadline = now.checked_add(PATIENCE).unwrap_or(now);
        let document = self.source.fetch(&question.item, deadline)?;
        let answer = Answer::new(question, document)?;
        if let Some(memory) = &self.memory {
            memory.remember(question.key(), answer.clone());
        }
        Ok(answer)
    }
}

/// Does what waits, on a thread that is for waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let panicked = |error: JoinError| Refusal::Internal(error.to_string());
    spawn_blocking(work).await.map_err(panicked)?
}
