//! What each subcommand does, from its arguments to its exit code.

use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use protocol::limit::PASSWORD_BYTES_MAX;
use server::backup::Present;
use server::config::{Checked, FaultPlan};
use server::order::Order;
use server::{Config, Core, DataDir, Error, Result, Running, admin};
use tokio::signal::unix::{Signal, SignalKind, signal};
use world::World;

use crate::arguments::{Arguments, Command, Erase, PasswordSource, User};
use crate::log;

/// The exit code after a part of the server failed by itself (EX_SOFTWARE).
const FAILED: u8 = 70;

/// From one attempt to start anew to the next, while the store is away: at first, and at most.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// The variable that says where `copy` goes.
const COPY_TO: &str = "SWITCHBOARD_COPY_TO";

/// Bytes of randomness in a password that is made up: 120 bits.
const PASSWORD_BYTES: usize = 15;

/// Runs what was asked and gives the exit code.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match run_command(arguments) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "switchboard: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run_command(arguments: Arguments) -> Result<ExitCode> {
    let file = arguments
        .config
        .or_else(|| std::env::var_os("SWITCHBOARD_CONFIG").map(Into::into));
    let (config, unknown) = Config::load(file.as_deref(), variables())?;
    let checked = config.check()?;
    let faults = checked.faults;
    let command = arguments.command.unwrap_or(Command::Serve);
    log::start(&config.log);
    for name in unknown {
        tracing::warn!(
            variable = name,
            "this variable is no key of the configuration"
        );
    }
    let done = match command {
        Command::Serve => {
            world::net::allow_descriptors().map_err(|source| system("descriptors", source))?;
            return block_on(serve(config, faults))?;
        }
        Command::CheckConfig => "the configuration is right".to_owned(),
        Command::Migrate => {
            block_on(server::migrate(&checked, World::system()))??;
            "the schema is up to date".to_owned()
        }
        Command::Backup { directory } => {
            // The server may have another working directory.
            let directory = directory.map(std::path::absolute).transpose();
            let directory = directory.map_err(|source| system("the path", source))?;
            give(&checked, Order::Backup { directory })?
        }
        Command::Restore { directory, replace } => restore(&checked, &directory, replace)?,
        Command::Copy { to } => copy(&checked, to)?,
        Command::Erase(Erase::Contact { contact_id }) => {
            give(&checked, Order::EraseContact { contact_id })?
        }
        Command::User(user) => give_user(&checked, user)?,
    };
    say(&done)?;
    Ok(ExitCode::SUCCESS)
}

/// The variables that are text; others cannot be meant for us.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}

fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| system("the runtime", source))?;
    let output = runtime.block_on(async {
        // A file at its limit (`ulimit -f`, LimitFSIZE=) is a full disk, and no reason to be killed: with a
        // handler, the write itself fails.
        let too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        let _kept = signal(too_large).map_err(|source| system("signals", source))?;
        Ok::<_, Error>(future.await)
    })?;
    // What runs still had its time, or was told to end at once.
    runtime.shutdown_background();
    Ok(output)
}

/// Serves until a signal or a failure, however often the store is left behind meanwhile.
async fn serve(config: Config, faults: FaultPlan) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    if faults != FaultPlan::default() {
        tracing::warn!("faults are planted: this is a load test, or a mistake");
    }
    let mut running = tokio::select! {
        () = signals.stop() => return Ok(ExitCode::SUCCESS),
        running = start(&config, faults) => running?,
    };
    loop {
        if let Some(code) = serve_once(running, &mut signals).await {
            return Ok(code);
        }
        running = tokio::select! {
            () = signals.stop() => return Ok(ExitCode::SUCCESS),
            running = start_anew(&config, faults) => running?,
        };
    }
}

async fn start(config: &Config, faults: FaultPlan) -> Result<Running> {
    let world = World::faulty(faults.clock_skew_ms, faults.fail_one_in);
    let planted = world.faults.clone();
    let running = server::serve(config.clone(), world).await?;
    planted.begin();
    announce(&running)?;
    Ok(running)
}

/// Starts again what served before: its settings were right, so a store that is away is waited for. At a first
/// start it may be the URL that is wrong, which is told at once.
async fn start_anew(config: &Config, faults: FaultPlan) -> Result<Running> {
    let clock = World::system().clock;
    let mut pause = PAUSE_MIN;
    loop {
        match start(config, faults).await {
            Err(error) if error.is_unavailable() => {
                let pause_ms = pause.as_millis();
                tracing::warn!(%error, pause_ms, "the server cannot start anew yet: it tries again");
                clock.sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            started => return started,
        }
    }
}

/// Gives the exit code; nothing where it is to be started anew.
async fn serve_once(running: Running, signals: &mut Signals) -> Option<ExitCode> {
    let code = loop {
        tokio::select! {
            told = signals.next() => match told {
                Told::Stop => break ExitCode::SUCCESS,
                Told::Reload => running.reload(),
            },
            () = running.failed() => break ExitCode::from(FAILED),
            () = running.left_behind() => {
                tracing::warn!(
                    "another database took the place of the one that was opened, as after a failover: \
                     everybody is sent away, and the server starts anew"
                );
                running.kill().await;
                return None;
            }
        }
    };
    tracing::info!("stopping; a second signal ends at once");
    tokio::select! {
        () = signals.stop() => tracing::warn!("ended at once by a second signal"),
        () = running.stop() => tracing::info!("stopped"),
    }
    Some(code)
}

fn announce(running: &Running) -> Result<()> {
    let url = &running.url;
    say(&format!(
        "listening on {}://{}",
        running.scheme, running.address
    ))?;
    if let Some(address) = running.redirect {
        say(&format!("plain HTTP at http://{address} is sent on"))?;
    }
    say(&format!("console    {url}/console/"))?;
    say(&format!("demo site  {url}/demo/"))?;
    if let Some(key) = &running.site_key {
        say(&format!("site key: {key}"))?;
    }
    if let Some(link) = &running.setup_link {
        say(&format!("set up: {link}"))?;
    }
    Ok(())
}

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals we listen to.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let failed = |source| system("signals", source);
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            hangup: signal(SignalKind::hangup()).map_err(failed)?,
        })
    }

    /// Cancel-safe: a signal that comes between two calls is not lost.
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }

    /// Ends with a signal to stop; one to reload means nothing before the start and after the end.
    async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }
}

/// Has the running server carry an order out, or does it alone where none runs.
fn give(checked: &Checked, order: Order) -> Result<String> {
    block_on(async {
        let data_dir = match DataDir::lock(&checked.data_dir) {
            Err(Error::Locked { .. }) => return admin::ask(&checked.data_dir, &order).await,
            locked => locked?,
        };
        let core = Core::start(data_dir, checked, World::system()).await?;
        let done = core.clerk().carry_out(order).await;
        core.stop().await;
        done
    })?
}

fn give_user(checked: &Checked, user: User) -> Result<String> {
    let (password, note) = password(match &user {
        User::Add { password, .. } | User::ResetPassword { password, .. } => password,
    })?;
    let order = match user {
        User::Add {
            email,
            name,
            role,
            workspace,
            password: _,
        } => Order::AddUser {
            email,
            name,
            role,
            password,
            workspace_id: workspace,
        },
        User::ResetPassword { email, password: _ } => Order::ResetPassword { email, password },
    };
    let done = give(checked, order)?;
    Ok(note.map_or(done.clone(), |note| format!("{done}\n{note}")))
}

/// The password, and the line that tells a made-up one.
fn password(source: &PasswordSource) -> Result<(String, Option<String>)> {
    if source.password_stdin {
        let mut line = String::new();
        let stdin = io::Read::take(io::stdin().lock(), PASSWORD_BYTES_MAX as u64 + 2);
        io::BufRead::read_line(&mut io::BufReader::new(stdin), &mut line)
            .map_err(|source| system("standard input", source))?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        return Ok((password, None));
    }
    // Easy to read out and to type.
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = World::system().ids.bytes::<{ PASSWORD_BYTES * 8 / 5 }>();
    let letters = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let password: String = letters.collect();
    let note = format!("password: {password}");
    Ok((password, Some(note)))
}

fn restore(checked: &Checked, directory: &Path, replace: bool) -> Result<String> {
    let present = if replace {
        Present::MoveAside
    } else {
        Present::Refuse
    };
    let report = block_on(server::restore(
        checked,
        directory,
        present,
        World::system(),
    ))??;
    Ok(report.join("\n"))
}

/// Where to is an argument, or a variable: a password in arguments can be read by others.
fn copy(checked: &Checked, to: Option<String>) -> Result<String> {
    let to = to.or_else(|| variables().find_map(|(name, url)| (name == COPY_TO).then_some(url)));
    let Some(to) = to else {
        let problem = format!("copy whereto? Give a database URL, or set {COPY_TO}");
        return Err(storage::Error::Configuration(problem).into());
    };
    let to = storage::DatabaseConfig::of_url(&to)?;
    let rows = block_on(server::copy(checked, &to, World::system()))??;
    Ok(format!(
        "{rows} rows were copied, and each was found alike\n\
         uploaded files stay where they are; set database_url to the new store before the next start"
    ))
}

fn say(line: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|source| system("standard output", source))
}

fn system(what: &'static str, source: io::Error) -> Error {
    Error::System { what, source }
}
