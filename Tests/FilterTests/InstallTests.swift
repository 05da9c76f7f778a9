// What `make install` puts into a folder: `gpt2`, the filters, the manual, completions.

import Foundation
import TestSupport
import Testing

struct InstallTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        let made = try shell(
            """
            "\(repository.path)/Sources/gpt2/install.sh" "$(dirname "$(command -v balance)")" "$PWD/a b" split balance score
            """, in: folder.url)
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
    }

    @Test("gpt2 runs the filters, through a link too, and passes their exit codes on")
    func frontEnd() throws {
        let result = try shell(
            """
            ln -s "a b/bin/gpt2" link; record='{"label":"a","text":"b"}'
            echo "$record" | 'a b/bin/gpt2' balance; echo "$record" | ./link balance
            PATH=$(./link --exec-path):/usr/bin:/bin; command -v split; ./link | grep -c '^  balance  '
            ./link help split | head -n 1; ./link --version
            """, in: folder.url)
        #expect(result.errors.isEmpty, "\(result.errors)")
        #expect(result.lines.count == 6 && result.lines[0] == result.lines[1], "\(result.text)")
        #expect(result.lines[2].hasSuffix("/a b/libexec/gpt2/split") && result.lines[3] == "1")
        #expect(result.lines[4] == "OVERVIEW: Deal records out to train, validation and test.")
        // An installed filter knows the commit that it was built from.
        let version = try shell("score --version", in: folder.url).lines[0]
        #expect(result.lines[5].hasPrefix("\(version) (") && result.lines[5].hasSuffix(")"), "\(result.lines[5])")
        for (arguments, status, words) in [
            ("splot", 64, "there is no filter 'splot'"), ("--splot", 64, "no option '--splot'"),
            ("../bin/gpt2", 64, "no filter"), ("help splot", 64, "no filter 'splot'"), (".", 64, "no filter '.'"),
            ("help .", 64, "no filter '.'"), ("''", 64, "no filter ''"),
        ] {
            expectFailure(try shell("'a b/bin/gpt2' \(arguments)", in: folder.url), Int32(status), "gpt2", words)
        }
        let failed = try shell("echo x | 'a b/bin/gpt2' balance 2>/dev/null", in: folder.url)
        #expect(failed.status == 65)
        #expect(try shell("'a b/bin/gpt2'", in: folder.url).status == 64)
    }

    @Test("gpt2 finds the filters through a link to its folder, and whatever CDPATH says")
    func otherFolders() throws {
        let result = try shell(
            """
            mkdir usr; cp -R 'a b' usr/local; ln -s usr/local/bin bin; mkdir -p elsewhere/usr/local/libexec/gpt2
            record='{"label":"a","text":"b"}'
            echo "$record" | bin/gpt2 balance; export CDPATH=.:$PWD/elsewhere
            echo "$record" | usr/local/bin/gpt2 balance; usr/local/bin/gpt2 --exec-path | wc -l
            """, in: folder.url)
        #expect(result.errors.isEmpty && result.lines.count == 3, "\(result.text)\(result.errors)")
        #expect(result.lines[0] == result.lines[1] && result.lines[2] == "1")
    }

    @Test("every filter has a page of the manual, in order and with its options")
    func manual() throws {
        let result = try shell(
            """
            cd 'a b/share/man/man1'; ls; grep -c '^.It Fl' gpt2-split.1; grep -A 1 '^.Sh EXAMPLES' gpt2-split.1 | tail -n 1
            if command -v mandoc >/dev/null; then mandoc -Tlint -Wwarning ../man?/*; fi; ls ../man5 ../man7 | grep gpt2kit
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.text)\(result.errors)")
        #expect(
            result.lines.prefix(4) == ["gpt2-balance.1", "gpt2-score.1", "gpt2-split.1", "gpt2.1"], "\(result.text)")
        let options = try shell("split --help | grep -cE '^  (-.,)? *--'", in: folder.url).lines[0]
        #expect(
            result.lines.dropFirst(4) == [options, ".Bd -literal", "gpt2kit-formats.5", "gpt2kit.7"], "\(result.text)")
    }

    @Test("shells complete filters, options and the values of an option")
    func completions() throws {
        let result = try shell(
            """
            cat >complete.bash <<'END'
            . 'a b/share/bash-completion/completions/gpt2'
            complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gpt2_words; echo "${COMPREPLY[@]}"; }
            complete_words gpt2 s; complete_words gpt2 split --part t; complete_words gpt2 score --casc; complete_words gpt2 help b
            touch 'one file'; complete_words gpt2 split one
            END
            bash complete.bash
            if command -v zsh >/dev/null; then
              zsh -n 'a b/share/zsh/site-functions/_gpt2'
              zsh -f -c 'fpath=("a b/share/zsh/site-functions" $fpath); autoload -Uz compinit; compinit -D -u; echo ${_comps[gpt2]-none}'
            else
              echo _gpt2
            fi
            if command -v fish >/dev/null; then fish -n 'a b/share/fish/vendor_completions.d/gpt2.fish'; fi
            """, in: folder.url)
        #expect(result.errors.isEmpty, "\(result.errors)")
        #expect(
            result.lines == ["split score", "train test", "--cascade --cascade-above", "balance", "one file", "_gpt2"],
            "\(result.text)")
    }

    @Test("uninstall removes what install wrote, and nothing else")
    func uninstall() throws {
        let result = try shell(
            """
            touch 'a b/bin/other' 'a b/share/man/man1/split.1'
            env -u MAKEFLAGS -u MAKELEVEL make -C "\(repository.path)" SWIFT=true uninstall PREFIX="$PWD/a b" >/dev/null
            find 'a b' -type f | sort
            """, in: folder.url)
        #expect(result.lines == ["a b/bin/other", "a b/share/man/man1/split.1"], "\(result.text)\(result.errors)")
    }
}
