//! Words for searching: folded to lower case without accents, and found by any part of them.
//!
//! A suffix array over all distinct words finds the words that contain a text in the time of two binary searches, so the cost of a
//! search does not grow with the catalog but with what it finds. Words that came after the array was built are looked through one by
//! one until there are enough of them to build it anew.

use std::collections::HashMap;
use std::sync::Arc;

const MAX_WORD_BYTES: usize = 64;
/// Words of one entity beyond these are not searched.
const MAX_WORDS: usize = 400;
/// New words are kept beside the array until there are this many, or a twentieth of all.
const MAX_RECENT: usize = 1_000;

/// Lower case, without accents.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            c.to_lowercase().for_each(|c| fold_char(c, &mut out));
        }
    }
    out
}

fn fold_char(c: char, out: &mut String) {
    let plain = match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'š' | 'ś' => 's',
        'ž' | 'ź' | 'ż' => 'z',
        'œ' => return out.push_str("oe"),
        'æ' => return out.push_str("ae"),
        'ß' => return out.push_str("ss"),
        '\u{0300}'..='\u{036F}' => return,
        other => other,
    };
    out.push(plain);
}

/// The words of a text, folded.
pub(super) fn split(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(cut).take(MAX_WORDS).collect()
}

fn cut(word: &str) -> String {
    let mut end = word.len().min(MAX_WORD_BYTES);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    word[..end].to_owned()
}

/// All distinct words with their numbers; words are never forgotten, numbers never change.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<Arc<str>, u32>,
    words: Vec<Arc<str>>,
    base: Arc<SuffixArray>,
}

impl Vocabulary {
    pub fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let word: Arc<str> = word.into();
        self.numbers.insert(word.clone(), number);
        self.words.push(word);
        number
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// What a snapshot searches in.
    pub fn dictionary(&mut self) -> Dictionary {
        let recent = self.words.len() - self.base.words();
        if recent > MAX_RECENT.max(self.words.len() / 20) || self.base.words() == 0 {
            self.base = Arc::new(SuffixArray::new(&self.words));
        }
        Dictionary { base: self.base.clone(), recent: self.words[self.base.words()..].to_vec() }
    }
}

#[derive(Debug)]
pub(super) struct Dictionary {
    base: Arc<SuffixArray>,
    recent: Vec<Arc<str>>,
}

impl Dictionary {
    /// The numbers of the words that contain `part`, ascending.
    pub fn containing(&self, part: &str) -> Vec<u32> {
        let mut found = self.base.containing(part);
        found.sort_unstable();
        found.dedup();
        let first = self.base.words();
        let recent = self.recent.iter().enumerate().filter(|(_, word)| word.contains(part));
        found.extend(recent.filter_map(|(at, _)| u32::try_from(first + at).ok()));
        found
    }
}

#[derive(Debug, Default)]
struct SuffixArray {
    /// The words, each followed by a line end, which no word holds.
    text: String,
    starts: Vec<u32>,
    /// Starts of all suffixes of all words, in the order of what follows them.
    suffixes: Vec<u32>,
}

impl SuffixArray {
    fn new(words: &[Arc<str>]) -> Self {
        let mut text = String::with_capacity(words.iter().map(|word| word.len() + 1).sum());
        let mut starts = Vec::with_capacity(words.len());
        for word in words {
            starts.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            text.push_str(word);
            text.push('\n');
        }
        let bytes = text.as_bytes();
        let at = |(at, c): (usize, char)| (c != '\n').then(|| u32::try_from(at).unwrap_or(u32::MAX));
        let mut suffixes: Vec<u32> = text.char_indices().filter_map(at).collect();
        // Words are short, so comparing up to the end of the word is bounded.
        suffixes.sort_unstable_by(|a, b| word_tail(bytes, *a).cmp(word_tail(bytes, *b)));
        Self { text, starts, suffixes }
    }

    fn words(&self) -> usize {
        self.starts.len()
    }

    fn containing(&self, part: &str) -> Vec<u32> {
        let (bytes, part) = (self.text.as_bytes(), part.as_bytes());
        let head = |at: u32| {
            let tail = &bytes[at as usize..];
            &tail[..part.len().min(tail.len())]
        };
        let from = self.suffixes.partition_point(|at| head(*at) < part);
        let to = from + self.suffixes[from..].partition_point(|at| head(*at) == part);
        let word_of = |at: &u32| u32::try_from(self.starts.partition_point(|start| start <= at)).unwrap_or(1) - 1;
        self.suffixes[from..to].iter().map(word_of).collect()
    }
}

fn word_tail(bytes: &[u8], at: u32) -> &[u8] {
    let tail = &bytes[at as usize..];
    let end = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |end| end + 1);
    &tail[..end]
}

#[cfg(test)]
mod tests {
    use super::{Vocabulary, fold, split};

    #[test]
    fn words_are_folded_and_cut_at_signs() {
        assert_eq!(fold("Évaluation Ça Œuvre STRASSE ß"), "evaluation ca oeuvre strasse ss");
        assert_eq!(split("skillforge/user-service (v2)"), ["skillforge", "user", "service", "v2"]);
        assert_eq!(split("日本 e\u{301}té"), ["日本", "ete"]);
        assert!(split("!?").is_empty());
    }

    #[test]
    fn any_part_of_a_word_finds_it_in_the_array_and_beside_it() {
        let mut vocabulary = Vocabulary::default();
        let texts: Vec<String> = (0..3_000).map(|i| format!("word{i}x{}", i * 7 % 1_000)).collect();
        for (i, text) in texts.iter().enumerate() {
            vocabulary.number(text);
            if i == 2_500 {
                vocabulary.dictionary();
            }
        }
        let dictionary = vocabulary.dictionary();
        assert!(!dictionary.recent.is_empty());
        for part in ["word", "7x4", "x", "999", "word2999", "zzz", "d1x7"] {
            let expected: Vec<u32> = (0..3_000u32).filter(|i| texts[*i as usize].contains(part)).collect();
            assert_eq!(dictionary.containing(part), expected, "{part}");
        }
    }
}
