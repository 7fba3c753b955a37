//! What one client did and heard, in order: the history of a broken promise.
