# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an outcome means. The cases of the error rules are in tests/module/verify_models, over real sockets."""

from __future__ import annotations

import json

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.responses import judge, read_chat
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    ANTHROPIC,
    OPENAI,
    Answer,
    Api,
    Outcome,
    Verdict,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import (
    ASK_CHAT,
    ASK_LISTING,
    KEY,
    OUTCOMES,
    error,
)


@given(outcome=OUTCOMES, api=st.sampled_from([OPENAI, ANTHROPIC]))
def test_ok_means_that_a_model_answered(outcome: Outcome, api: Api) -> None:
    finding = read_chat(outcome, ASK_CHAT, api, {KEY})
    if finding.status == "ok":
        assert isinstance(outcome, Answer)
        assert outcome.status == 200
        document = json.loads(outcome.body)
        assert document["content"] is not None if api == ANTHROPIC else document["choices"]


@given(before=st.text(max_size=400), after=st.text(max_size=20))
def test_the_key_is_never_shown(before: str, after: str) -> None:
    outcome = error(400, KEY, f"{before}{KEY}{after}")
    finding = judge(outcome, ASK_LISTING, {KEY})
    assert isinstance(finding, Verdict)
    assert KEY[:8] not in finding.message
