//! What the machine itself can do, and what this process used.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

/// How many 4 KiB appends a second this disk makes durable, one after the other.
///
/// # Errors
/// When the file cannot be written.
pub fn fsyncs_per_second(folder: &Path, during: Duration) -> io::Result<f64> {
    let path = folder.join("fsync-floor");
    let mut file = File::create(&path)?;
    let (start, mut count) = (Instant::now(), 0.0);
    while start.elapsed() < during {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        count += 1.0;
    }
    let rate = count / start.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}

/// CPU time this process has used, user and system, where the operating system tells (Linux: `/proc/self/stat`, clock
/// ticks of 10 ms).
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses that may hold spaces; user and system time are the 14th and 15th.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Memory this process holds, in MB, where the operating system tells.
pub fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}
