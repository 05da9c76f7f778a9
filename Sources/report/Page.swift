// The page: its head, its style, and its sections one after another.

import Evaluation

/// A part of the page.
protocol Section {
    /// Its heading.
    var title: String { get }
    /// What follows the heading.
    var html: String { get }
}

/// A page of HTML.
struct Page {
    let title: String
    private var sections: [any Section] = []

    init(title: String) { self.title = title }

    mutating func add(_ section: any Section) { sections.append(section) }

    var html: String {
        let heading = title.htmlEscaped
        var text = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>\(heading)</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <header><h1>\(heading)</h1></header>
            <main>

            """
        for section in sections {
            text += "<section>\n<h2>\(section.title.htmlEscaped)</h2>\n\(section.html)</section>\n"
        }
        return text + "</main>\n</body>\n</html>\n"
    }

    private static let style = """
        :root { --paper: #fff; --ink: #1d1d1f; --faint: #595960; --line: #d5d5da; --right: 24 128 56; --wrong: 196 48 32 }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #17181a; --ink: #e8e8ea; --faint: #a9a9b2; --line: #3c3d42; --right: 64 176 96; --wrong: 232 96 80 }
          figure img { filter: invert(0.9) hue-rotate(180deg) }
        }
        body { margin: 0 auto; padding: 1rem; max-width: 48rem; background: var(--paper); color: var(--ink);
          font: 1rem/1.5 system-ui, sans-serif }
        h1 { font-size: 1.7rem; line-height: 1.2 } h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem }
        p, figcaption, caption { max-width: 42rem }
        .scroll { overflow-x: auto; margin: .8rem 0 }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums }
        caption { text-align: left; color: var(--faint); padding: .2rem 0 }
        th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; white-space: nowrap }
        th[scope=row], tr > :first-child, td.text { text-align: left; font-weight: normal; white-space: normal } th[scope=col] { font-weight: 600 }
        .matrix caption { white-space: nowrap }
        .matrix td, .matrix th { padding: .3rem .7rem }
        .right { background: rgb(var(--right) / calc(var(--share) * .45)) }
        .wrong { background: rgb(var(--wrong) / calc(var(--share) * .45)) }
        figure { margin: 1.2rem 0 } figure img { width: 100%; max-width: 40rem; height: auto } figcaption { color: var(--faint) }
        blockquote { margin: .3rem 0 1.1rem; padding: .1rem 0 .1rem .8rem; border-left: 3px solid var(--line); overflow-wrap: anywhere }
        mark { color: inherit; border-radius: .2em; padding: 0 .1em }
        mark.for { background: rgb(var(--wrong) / calc(.12 + var(--weight) * .4)); text-decoration: underline }
        mark.against { background: rgb(var(--right) / calc(.12 + var(--weight) * .4)) }
        code { font-size: .85em; overflow-wrap: anywhere }
        a, a:visited { color: inherit }
        """
}
