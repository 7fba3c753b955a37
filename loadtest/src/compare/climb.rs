//! The search for the highest rate that a server bears. Pure.

/// What is known of a server's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Climb {
    start: f64,
    /// The highest rate that was borne.
    borne: Option<f64>,
    /// The lowest rate above it that was not.
    failed: Option<f64>,
}

impl Climb {
    pub(super) fn new(start: f64) -> Self {
        Self {
            start,
            borne: None,
            failed: None,
        }
    }

    /// The rate to try next: twice what was borne, half of what was not, or between the two.
    pub(super) fn next(&self) -> f64 {
        match (self.borne, self.failed) {
            (None, None) => self.start,
            (Some(borne), None) => borne * 2.0,
            (None, Some(failed)) => failed / 2.0,
            (Some(borne), Some(failed)) => (borne * failed).sqrt(),
        }
    }

    /// Takes in what became of a rate. The latest try counts where two disagree: the machine may have
    /// been busy with something else.
    pub(super) fn tried(&mut self, rate: f64, is_borne: bool) {
        if is_borne {
            self.borne = Some(self.borne.map_or(rate, |borne| borne.max(rate)));
            self.failed = self.failed.filter(|failed| *failed > rate);
        } else {
            self.failed = Some(self.failed.map_or(rate, |failed| failed.min(rate)));
            self.borne = self.borne.filter(|borne| *borne < rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_climb_comes_near_what_is_borne() {
        for capacity in [3_000.0, 47_000.0, 900_000.0] {
            let mut climb = Climb::new(40_000.0);
            for _ in 0..16 {
                let rate = climb.next();
                climb.tried(rate, rate <= capacity);
            }
            let borne = climb.borne.unwrap();
            assert!(borne <= capacity && borne > capacity * 0.9, "{borne}");
        }
    }

    #[test]
    fn one_bad_moment_does_not_end_a_climb() {
        let mut climb = Climb::new(100.0);
        climb.tried(100.0, false);
        climb.tried(50.0, true);
        climb.tried(120.0, true);
        assert_eq!(climb.next(), 240.0);
    }
}
