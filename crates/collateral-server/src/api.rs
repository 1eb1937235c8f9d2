//! Questions are answered: from memory at once, else by whoever knows.

use std::sync::Arc;
use std::time::Instant;

use collateral::{CollateralId, Document, Source, SourceError};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::asker::Asker;
use crate::keeper::PATIENCE;
use crate::memory::{Memory, Recollection};
use crate::metrics::{Lookup, Metrics};
use crate::question::Question;
use crate::refusal::Refusal;

/// How many answers are looked for at a time. Each has a thread; half of those that there may be are left for probes and
/// administration.
const MAX_MISSES: usize = 256;

/// Finds answers.
pub(crate) trait Backend: Send + Sync {
    /// The document that this peer asks for, until the deadline at the latest.
    ///
    /// # Errors
    /// [`SourceError`] when there is none.
    fn find(
        &self,
        item: &CollateralId,
        asker: Asker,
        deadline: Instant,
    ) -> Result<Document, SourceError>;
}

/// What answers questions. Clones share all of it.
#[derive(Clone)]
pub(crate) struct Api {
    backend: Arc<dyn Backend>,
    /// `None` where answers are made as fast as they are remembered, and may change at any time.
    memory: Option<Arc<Memory>>,
    /// The right to look for what is not in memory.
    misses: Arc<Semaphore>,
    metrics: Metrics,
}

impl Api {
    /// Answers with what this source says at the time.
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        let misses = Arc::new(Semaphore::new(MAX_MISSES));
        let backend = Arc::new(Plain(source));
        Self { backend, memory: None, misses, metrics: Metrics::default() }
    }

    /// Answers with what this backend finds, or found up to a second ago.
    pub(crate) fn with_memory(backend: Arc<dyn Backend>, metrics: Metrics) -> Self {
        let misses = Arc::new(Semaphore::new(MAX_MISSES));
        Self { backend, memory: Some(Arc::default()), misses, metrics }
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
    pub(crate) async fn answer(&self, question: Question, asker: Asker) -> Result<Answer, Refusal> {
        let recollection = self.memory.as_ref().map(|memory| memory.recall(&question.key()));
        match recollection.unwrap_or(Recollection::Nothing) {
            Recollection::Fresh(answer) => {
                self.metrics.looked_up(Lookup::Hit);
                Ok(answer)
            }
            Recollection::Aging(answer) => {
                self.metrics.looked_up(Lookup::Hit);
                let api = self.clone();
                spawn_blocking(move || api.find(&question, asker));
                Ok(answer)
            }
            Recollection::Nothing => {
                self.metrics.looked_up(Lookup::Miss);
                let busy =
                    || Refusal::Unavailable("too many questions wait for an answer".to_owned());
                let miss = timeout(PATIENCE, Arc::clone(&self.misses).acquire_owned()).await;
                let miss = miss.map_err(|_| busy())?.map_err(|_| busy())?;
                let api = self.clone();
                blocking(move || {
                    let found = api.find(&question, asker);
                    drop(miss);
                    Ok(found?)
                })
                .await
            }
        }
    }

    /// Asks the backend, and remembers what it finds.
    fn find(&self, question: &Question, asker: Asker) -> Result<Answer, SourceError> {
        let now = Instant::now();
        let deadline = now.checked_add(PATIENCE).unwrap_or(now);
        let document = self.backend.find(&question.item, asker, deadline)?;
        let answer = Answer::new(question, document)?;
        if let Some(memory) = &self.memory {
            memory.remember(question.key(), answer.clone());
        }
        Ok(answer)
    }
}

/// A source that is asked without more ado.
struct Plain(Arc<dyn Source>);

impl Backend for Plain {
    fn find(
        &self,
        item: &CollateralId,
        _: Asker,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        self.0.fetch(item, deadline)
    }
}

/// Does what waits, on a thread that is for waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let panicked = |error: JoinError| Refusal::Internal(error.to_string());
    spawn_blocking(work).await.map_err(panicked)?
}
