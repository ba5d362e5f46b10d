//! `aprm report`: a run as one page, to be read in a browser and to be passed on.

mod alarms;
mod arm;
mod chart;
mod curve;
mod error;
mod error_kinds;
mod heat_map;
mod metrics;
mod page;
mod palette;
mod panels;
mod run;
mod samples;
mod summary;

use std::io::Write;
use std::path::{Path, PathBuf};

use aprm_models::durable_file::{Disk, replace};
use clap::Args;

use crate::output::print;
pub(crate) use error::ReportError;
pub(crate) use page::document;
use run::Run;

/// Show a run as one HTML page: its table, its settings, its rounds and what was written in them.
///
/// The page is RUN/report.html; it needs no network and no scripts.
/// A run that is still going is shown as far as it has come; one that has ended has had its page written already.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  aprm report runs/aprm")]
pub(crate) struct Report {
    /// The folder of a run of `aprm train`.
    run: PathBuf,
}

impl Report {
    pub(crate) fn run(&self) -> Result<(), ReportError> {
        let page = write(&self.run)?;
        print(&format!("{}\n", page.display())).map_err(ReportError::Print)
    }
}

/// Writes the page of a run into its folder and says where it is.
pub(crate) fn write(folder: &Path) -> Result<PathBuf, ReportError> {
    const NAME: &str = "report.html";
    let page = page::page(&Run::open(folder)?).into_string();
    let path = folder.join(NAME);
    replace(&Disk(folder.into()), NAME, |out| out.write_all(page.as_bytes()))
        .map_err(|source| ReportError::Write { path: path.clone(), source })?;
    Ok(path)
}
