# The formula for Homebrew, which takes formulae from taps alone. In a checkout:
#
#   brew tap-new local/gpt2
#   cp Sources/gpt2/gpt2-filters.rb "$(brew --repository local/gpt2)/Formula/"
#   HOMEBREW_GPT2_FILTERS="file://$PWD" brew install --HEAD local/gpt2/gpt2-filters
class Gpt2Filters < Formula
  desc "Fine-tune GPT-2 into a text classifier, and score text with it"
  homepage "https://github.com/gpt2-filters/gpt2-filters"
  license "Apache-2.0"
  head ENV.fetch("HOMEBREW_GPT2_FILTERS", "https://github.com/gpt2-filters/gpt2-filters.git"), using: :git, branch: "main"

  depends_on xcode: ["26.0", :build]
  depends_on "jq" => :build
  depends_on "libzip"
  depends_on macos: :sequoia
  depends_on "onednn"

  def install
    # Homebrew builds in a sandbox of its own, in which SwiftPM's can't be made.
    system "make", "install", "PREFIX=#{prefix}", "SWIFT_FLAGS=--disable-sandbox"
  end

  test do
    assert_match "gpt2", shell_output("#{bin}/gpt2 --help")
    (testpath/"records.ndjson").write <<~EOS
      {"label":"a","text":"x"}
      {"label":"b","text":"y"}
    EOS
    assert_equal 2, shell_output("#{bin}/gpt2 balance records.ndjson").lines.count
  end
end
