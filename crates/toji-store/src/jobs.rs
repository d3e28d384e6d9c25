//! Jobs: work that outlives a request, as rows that survive a crash and are taken under a lease. Input,
//! output and progress of a job pass the gate like any record: it is asked about a record of kind `job`.

use crate::fault;
use crate::store::Store;
use sqlx::Row as _;
use toji_core::{Access, Action, Belongs, Error, Resource, Result};

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Waiting.
    Queued,
    /// Being done.
    Running,
    /// Done; the output is there.
    Done,
    /// Failed; the error is there.
    Failed,
    /// Cancelled by its owner.
    Cancelled,
}

impl JobState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
    fn parse(text: &str) -> Self {
        match text {
            "running" => Self::Running,
            "done" => Self::Done,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => Self::Queued,
        }
    }
    /// Nothing more will happen.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// A job's row. `input`, `progress`, `output` and `error` are JSON texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Identifier.
    pub id: String,
    /// Operation.
    pub operation: String,
    /// Its input.
    pub input: String,
    /// State.
    pub state: JobState,
    /// How far it is.
    pub progress: String,
    /// Its output when done.
    pub output: Option<String>,
    /// Its error when failed.
    pub error: Option<String>,
    /// Who submitted it; `None` for the owner of the store and for the house itself.
    pub owner: Option<JobOwner>,
}

/// Who submitted a job, and for what purpose: it runs with what they may, as it is when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOwner {
    /// Pseudonym.
    pub account: String,
    /// Purpose, when one was named.
    pub purpose: Option<String>,
}

/// Jobs belong to nothing.
fn job(id: &str) -> Resource<'_> {
    Resource::Record { kind: "job", id, of: Belongs::default() }
}

impl Store {
    /// Adds a job.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn add_job(&self, access: &Access, id: &str, operation: &str, input: &str, now: &str) -> Result<()> {
        self.add_job_of(access, id, operation, input, now, None).await
    }

    /// Adds a job that somebody submitted. Nobody can take it before it is known whose it is.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn add_job_of(
        &self,
        access: &Access,
        id: &str,
        operation: &str,
        input: &str,
        now: &str,
        owner: Option<&JobOwner>,
    ) -> Result<()> {
        self.allow(access, Action::Write, job(id)).await?;
        let mut tx = self.catalogue.begin().await?;
        if let Some(owner) = owner {
            sqlx::query("INSERT INTO job_owners (job, account, purpose) VALUES ($1, $2, $3)")
                .bind(id)
                .bind(&owner.account)
                .bind(owner.purpose.as_deref().unwrap_or_default())
                .execute(&mut *tx)
                .await
                .map_err(fault::sql)?;
        }
        sqlx::query(
            "INSERT INTO jobs (id, operation, input, state, progress, created_at, updated_at, lease_until) VALUES ($1, $2, $3, 'queued', '', $4, $4, 0)",
        )
        .bind(id)
        .bind(operation)
        .bind(input)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(fault::sql)?;
        tx.commit().await.map_err(fault::sql)
    }

    /// Takes the oldest job that waits, or whose worker let its lease (seconds since 1970) run out.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn take_job(&self, access: &Access, now_s: i64, lease_s: i64) -> Result<Option<JobRow>> {
        self.allow(access, Action::Write, job("")).await?;
        let mut tx = self.catalogue.begin().await?;
        let row = sqlx::query(
            "SELECT id FROM jobs WHERE state = 'queued' OR (state = 'running' AND lease_until < $1) ORDER BY created_at, id LIMIT 1",
        )
        .bind(now_s)
        .fetch_optional(&mut *tx)
        .await
        .map_err(fault::sql)?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.try_get("id").map_err(fault::sql)?;
        sqlx::query("UPDATE jobs SET state = 'running', lease_until = $1 WHERE id = $2")
            .bind(now_s + lease_s)
            .bind(&id)
            .execute(&mut *tx)
            .await
            .map_err(fault::sql)?;
        tx.commit().await.map_err(fault::sql)?;
        self.job(access, &id).await.map(Some)
    }

    /// Notes progress and keeps the lease.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn note_job(&self, access: &Access, id: &str, progress: &str, lease_until_s: i64) -> Result<()> {
        self.allow(access, Action::Write, job(id)).await?;
        sqlx::query("UPDATE jobs SET progress = $1, lease_until = $2 WHERE id = $3 AND state = 'running'")
            .bind(progress)
            .bind(lease_until_s)
            .bind(id)
            .execute(&self.catalogue.pool)
            .await
            .map(|_| ())
            .map_err(fault::sql)
    }

    /// Ends a job.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn end_job(
        &self,
        access: &Access,
        id: &str,
        state: JobState,
        output: Option<&str>,
        error: Option<&str>,
        now: &str,
    ) -> Result<()> {
        self.allow(access, Action::Write, job(id)).await?;
        sqlx::query("UPDATE jobs SET state = $1, output = $2, error = $3, updated_at = $4 WHERE id = $5")
            .bind(state.as_str())
            .bind(output)
            .bind(error)
            .bind(now)
            .bind(id)
            .execute(&self.catalogue.pool)
            .await
            .map(|_| ())
            .map_err(fault::sql)
    }

    /// A job.
    ///
    /// # Errors
    /// No such job, or denied access.
    pub async fn job(&self, access: &Access, id: &str) -> Result<JobRow> {
        self.allow(access, Action::Read, job(id)).await?;
        let of_job = "SELECT id, operation, input, state, progress, output, error, account, purpose
             FROM jobs LEFT JOIN job_owners ON job_owners.job = jobs.id WHERE id = $1";
        let row =
            sqlx::query(of_job).bind(id).fetch_optional(&self.catalogue.pool).await.map_err(fault::sql)?.ok_or_else(|| {
                Error::not_found("E-JOB-002", format!("作業 {id} はありません"), format!("there is no job {id}"))
            })?;
        let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
        let account: Option<String> = row.try_get("account").map_err(fault::sql)?;
        let purpose: Option<String> = row.try_get("purpose").map_err(fault::sql)?;
        let owner = account.map(|account| JobOwner { account, purpose: purpose.filter(|purpose| !purpose.is_empty()) });
        Ok(JobRow {
            owner,
            id: text("id")?,
            operation: text("operation")?,
            input: text("input")?,
            state: JobState::parse(&text("state")?),
            progress: text("progress")?,
            output: row.try_get("output").map_err(fault::sql)?,
            error: row.try_get("error").map_err(fault::sql)?,
        })
    }
}
