//! Rates and sizes, checked.

use gateway::config::{ByteRate, LimitConfig, Rate};
use protocol::limit;

use super::Limits;
use super::check::Check;

impl Check {
    pub(super) fn limits(&mut self, limits: &Limits) -> LimitConfig {
        self.connection_counts(limits);
        if limits.attachment_bytes_max == 0
            || limits.attachment_bytes_max > limit::ATTACHMENT_BYTES_MAX
        {
            let problem = format!("must be 1 to {}", limit::ATTACHMENT_BYTES_MAX);
            self.mistake("limits.attachment_bytes_max", problem);
        }
        let upload_bytes = self.upload_bytes(limits);
        let mut rate = |name: &str, per_minute: u32, burst: u32| {
            if per_minute == 0 || burst == 0 {
                self.mistake(
                    &format!("limits.{name}"),
                    "rates and bursts begin at 1; limits.trusted_addresses exempts addresses",
                );
            }
            Rate::new(per_minute, burst)
        };
        let l = limits;
        LimitConfig {
            connection_frames: rate(
                "connection_frames",
                l.connection_frames_per_minute,
                l.connection_frames_burst,
            ),
            visitor_requests: rate(
                "visitor_requests",
                l.visitor_requests_per_minute,
                l.visitor_requests_burst,
            ),
            address_requests: rate(
                "address_requests",
                l.address_requests_per_minute,
                l.address_requests_burst,
            ),
            address_connections: rate(
                "address_connections",
                l.address_connections_per_minute,
                l.address_connections_burst,
            ),
            site_sessions: rate(
                "site_sessions",
                l.site_sessions_per_minute,
                l.site_sessions_burst,
            ),
            visitor_traces: rate(
                "visitor_traces",
                l.visitor_traces_per_minute,
                l.visitor_traces_burst,
            ),
            site_traces: rate("site_traces", l.site_traces_per_minute, l.site_traces_burst),
            key_requests: rate(
                "key_requests",
                l.key_requests_per_minute,
                l.key_requests_burst,
            ),
            metrics_requests: rate(
                "metrics_requests",
                l.metrics_requests_per_minute,
                l.metrics_requests_burst,
            ),
            visitor_upload_bytes: upload_bytes.0,
            address_upload_bytes: upload_bytes.1,
            trusted_addresses: self.networks("limits.trusted_addresses", &limits.trusted_addresses),
            connections_max: limits.connections_max,
            connections_per_address_max: limits.connections_per_address_max,
            http_connections_max: limits.http_connections_max,
            http_connections_per_address_max: limits.http_connections_per_address_max,
            attachment_bytes_max: limits.attachment_bytes_max,
        }
    }

    /// How many connections there may be: at least one.
    fn connection_counts(&mut self, limits: &Limits) {
        for (name, count) in [
            ("connections_max", limits.connections_max),
            (
                "connections_per_address_max",
                limits.connections_per_address_max,
            ),
            ("http_connections_max", limits.http_connections_max),
            (
                "http_connections_per_address_max",
                limits.http_connections_per_address_max,
            ),
        ] {
            if count == 0 {
                self.mistake(&format!("limits.{name}"), "must be 1 or more");
            }
        }
    }

    /// What a visitor, and an address, may upload.
    fn upload_bytes(&mut self, limits: &Limits) -> (ByteRate, ByteRate) {
        let file_bytes = limits.attachment_bytes_max.max(limit::UPLOAD_BYTES_MIN);
        let mut rate = |name: &str, per_minute: u64, burst: u64| {
            if per_minute == 0 || burst < file_bytes {
                let problem = format!("per minute begins at 1, the burst at {file_bytes}");
                self.mistake(&format!("limits.{name}"), problem);
            }
            ByteRate::new(per_minute, burst)
        };
        let visitor = rate(
            "visitor_upload_bytes",
            limits.visitor_upload_bytes_per_minute,
            limits.visitor_upload_bytes_burst,
        );
        let address = rate(
            "address_upload_bytes",
            limits.address_upload_bytes_per_minute,
            limits.address_upload_bytes_burst,
        );
        if limits.visitor_unclaimed_bytes_max < file_bytes {
            let problem = format!("must be at least {file_bytes}");
            self.mistake("limits.visitor_unclaimed_bytes_max", problem);
        }
        (visitor, address)
    }
}
