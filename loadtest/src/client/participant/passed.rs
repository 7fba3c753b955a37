//! What lists told while something else was waited for: each change is told once, and may come before the answer
//! to the command that made it.

use std::collections::VecDeque;

use protocol::news::AgentNews;

use crate::client::news::News;

/// More are forgotten, oldest first.
const KEPT_MAX: usize = 256;

/// See the module's own words.
#[derive(Debug, Default)]
pub(super) struct Passed(VecDeque<News>);

impl Passed {
    /// Keeps a frame, where it is a list's.
    pub(super) fn keep(&mut self, news: Option<News>) {
        let Some(
            news @ News::Agent(AgentNews::InboxChanges { .. } | AgentNews::VisitorChanges { .. }),
        ) = news
        else {
            return;
        };
        if self.0.len() == KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(news);
    }

    /// What is found in those that were kept; they are heard by that.
    pub(super) fn find<T>(&mut self, mut found: impl FnMut(&News) -> Option<T>) -> Option<T> {
        while let Some(news) = self.0.pop_front() {
            if let Some(found) = found(&news) {
                return Some(found);
            }
        }
        None
    }

    /// Something was asked for: what came before it tells nothing of what it does.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use protocol::news::VisitorNews;

    use super::*;

    fn told(mark: usize) -> News {
        let json = serde_json::json!({"type": "visitor_changes", "rows": [], "gone": [], "beyond": [],
            "counts": {"active": mark, "idle": 0, "listed": 0}});
        News::Agent(serde_json::from_value(json).expect("a frame"))
    }

    fn mark(news: &News) -> Option<u32> {
        match news {
            News::Agent(AgentNews::VisitorChanges { counts, .. }) => Some(counts.active),
            News::Agent(_) | News::Visitor(_) => None,
        }
    }

    #[test]
    fn what_a_list_told_is_found_once_in_order_until_something_is_asked() {
        let mut passed = Passed::default();
        for number in 0..=KEPT_MAX {
            passed.keep(Some(told(number)));
        }
        passed.keep(None);
        let unread = serde_json::from_value::<VisitorNews>(serde_json::json!({"type": "beat"}));
        passed.keep(Some(News::Visitor(unread.expect("a frame"))));
        assert_eq!(passed.find(mark), Some(1), "the oldest was forgotten");
        assert_eq!(
            passed.find(|news| mark(news).filter(|mark| *mark == 9)),
            Some(9)
        );
        assert_eq!(
            passed.find(|news| mark(news).filter(|mark| *mark == 5)),
            None
        );
        passed.keep(Some(told(1)));
        passed.clear();
        assert_eq!(passed.find(mark), None);
    }
}
