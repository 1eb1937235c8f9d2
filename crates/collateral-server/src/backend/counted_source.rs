//! Sources whose requests are counted.

use std::time::Instant;

use collateral::{CollateralId, Document, Source, SourceError};

use crate::metrics::Metrics;

/// Counts and times the requests to a source.
pub(super) struct CountedSource {
    source: Box<dyn Source>,
    metrics: Metrics,
}

impl CountedSource {
    pub(super) fn new(source: Box<dyn Source>, metrics: Metrics) -> Self {
        Self { source, metrics }
    }
}

impl Source for CountedSource {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError> {
        self.metrics.count_upstream(self.source.name(), || self.source.fetch(item, deadline))
    }
}
