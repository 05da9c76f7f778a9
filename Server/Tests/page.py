"""The page in headless Chromium: by keyboard alone, in both themes, at 390 pixels, without an error in the console, and without
a finding of axe.

    page.py ADDRESS FOLDER-FOR-SCREENSHOTS
"""

import pathlib
import shutil
import sys
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

try:
    from axe_core_python.selenium import Axe
except ImportError:
    Axe = None

MESSAGES = "WINNER!! Your number has won a prize of 900 pounds, call 0800 555 now to claim\nsee you at seven, I'll bring the cake"


def browser(theme, width):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"):
        options.add_argument(argument)
    if theme == "dark":
        options.add_argument("--force-dark-mode")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
    return driver


def check(address, folder, theme, width):
    driver = browser(theme, width)
    problems = []
    try:
        driver.get(address)
        # By keyboard: the text has the focus, Tab reaches the button, Enter presses it.
        focused = driver.switch_to.active_element
        assert focused.get_attribute("id") == "text", "the text doesn't have the focus"
        focused.send_keys(MESSAGES)
        focused.send_keys(Keys.TAB)
        button = driver.switch_to.active_element
        assert button.tag_name == "button", f"Tab leads to {button.tag_name}"
        button.send_keys(Keys.ENTER)
        wait = WebDriverWait(driver, 20)
        wait.until(lambda d: len(d.find_elements(By.CSS_SELECTOR, "#results .words")) == 2)
        verdicts = [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".verdict")]
        assert verdicts[0].startswith("spam") and verdicts[1].startswith("ham"), verdicts
        assert driver.find_elements(By.CSS_SELECTOR, "mark.for"), "no word is marked"
        wide = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the page is {wide} pixels too wide"
        driver.save_screenshot(str(folder / f"page-{theme}-{width}.png"))
        problems += [entry["message"] for entry in driver.get_log("browser")]
        if Axe:
            # The page allows no foreign script, so axe comes through the driver, which isn't bound by that.
            for violation in Axe().run(driver)["violations"]:
                problems.append(f"axe: {violation['id']}: {violation['help']}: {violation['nodes'][0]['html']}")
    finally:
        driver.quit()
    return problems


def main(address, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    bad = False
    for theme in ("light", "dark"):
        for width in (390, 1100):
            problems = check(address, folder, theme, width)
            print(f"page: {theme}, {width} pixels: {'; '.join(problems) if problems else 'no problem'}")
            bad = bad or bool(problems)
            time.sleep(0.2)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
