// The emoji that both apps offer first: enough to be kind with; keyboards have the others.

export const EMOJI: readonly string[] = [..."😀😂🙂😉😍🤔😕😢😡👍👎🙏👏👋🎉❤🔥✅"];
