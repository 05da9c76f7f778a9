# The formula for Homebrew: `brew install --HEAD ./Sources/gpt2/gpt2-filters.rb` in a checkout.
class Gpt2Filters < Formula
  desc "Fine-tune GPT-2 into a text classifier, and score text with it"
  homepage "https://github.com/gpt2-filters/gpt2-filters"
  license "Apache-2.0"
  head "file://#{File.expand_path("../..", __dir__)}", using: :git, branch: "main"

  depends_on xcode: ["26.0", :build]
  depends_on "jq" => :build
  depends_on "libzip"
  depends_on macos: :sequoia
  depends_on "onednn"

  def install
    system "make", "install", "PREFIX=#{prefix}"
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
