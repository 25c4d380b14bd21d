"""The prices that are published, as tables of text: a row a model, `-` where there is no price."""

# USD for a million tokens of text: input, cached input, written to the cache, output.
TEXT = """
gpt-6-astra 10 1 12.5 50
gpt-6.1-sol 2 0.1 2.5 10
gpt-6.1-terra 1 0.05 1.25 5
gpt-6-sol 2 0.2 2.5 10
gpt-6-luna 0.1 0.01 0.125 0.5
gpt-6-cyber 20 2 25 100
gpt-6-rosalind 15 1.5 18.75 75
gpt-5.6-sol 4 0.4 5 20
gpt-5.6-terra 2 0.2 2.5 12
gpt-5.6-luna 0.2 0.02 0.25 1.2
gpt-5.6-cyber 12.5 1.25 15.625 75
gpt-5.5 5 0.5 - 30
gpt-5.5-pro 30 - - 180
gpt-5.5-cyber 12.5 1.25 - 75
gpt-5.4 2.5 0.25 - 15
gpt-5.4-mini 0.75 0.075 - 4.5
gpt-5.4-nano 0.2 0.02 - 1.25
gpt-5.4-pro 30 - - 180
gpt-5.3-codex 1.75 0.175 - 14
gpt-5.2 1.75 0.175 - 14
gpt-5.2-pro 21 - - 168
gpt-5.1 1.25 0.125 - 10
gpt-5 1.25 0.125 - 10
gpt-5-mini 0.25 0.025 - 2
gpt-5-nano 0.05 0.005 - 0.4
gpt-5-pro 15 - - 120
gpt-5-search-api 1.25 0.125 - 10
gpt-4.5-preview 75 37.5 - 150
gpt-4.1 2 0.5 - 8
gpt-4.1-mini 0.4 0.1 - 1.6
gpt-4.1-nano 0.1 0.025 - 0.4
gpt-4o 2.5 1.25 - 10
gpt-4o-2024-05-13 5 - - 15
gpt-4o-mini 0.15 0.075 - 0.6
gpt-4o-search-preview 2.5 - - 10
gpt-4o-mini-search-preview 0.15 0.075 - 0.6
o1 15 7.5 - 60
o1-pro 150 - - 600
o1-mini 1.1 0.55 - 4.4
o3 2 0.5 - 8
o3-pro 20 - - 80
o3-mini 1.1 0.55 - 4.4
o4-mini 1.1 0.275 - 4.4
o3-deep-research 10 2.5 - 40
o4-mini-deep-research 2 0.5 - 8
computer-use-preview 3 - - 12
codex-mini-latest 1.5 0.375 - 6
chat-latest 5 0.5 - 30
gpt-rosalind-research 5 0.5 - 25
gpt-4-turbo 10 - - 30
gpt-4 30 - - 60
gpt-4-32k 60 - - 120
gpt-3.5-turbo 0.5 - - 1.5
gpt-3.5-turbo-1106 1 - - 2
gpt-3.5-turbo-instruct 1.5 - - 2
davinci-002 2 - - 2
babbage-002 0.4 - - 0.4
text-embedding-3-small 0.02 - - 0
text-embedding-3-large 0.13 - - 0
text-embedding-ada-002 0.1 - - 0
"""

# And in other tiers: input, cached input, output.
TIERS = """
gpt-6-astra flex 5 0.5 25
gpt-6-astra batch 5 0.5 25
gpt-6-astra priority 20 2 100
gpt-6.1-sol flex 1 0.05 5
gpt-6.1-sol batch 1 0.05 5
gpt-6.1-sol priority 4 0.2 20
gpt-6.1-terra flex 0.5 0.025 2.5
gpt-6.1-terra batch 0.5 0.025 2.5
gpt-6.1-terra priority 2 0.1 10
gpt-6-sol flex 1 0.1 5
gpt-6-sol batch 1 0.1 5
gpt-6-sol priority 4 0.4 20
gpt-6-luna flex 0.05 0.005 0.25
gpt-6-luna batch 0.05 0.005 0.25
gpt-6-luna priority 0.2 0.02 1
gpt-5.6-sol flex 2 0.2 10
gpt-5.6-sol batch 2 0.2 10
gpt-5.6-sol priority 8 0.8 40
gpt-5.6-terra flex 1 0.1 6
gpt-5.6-terra batch 1 0.1 6
gpt-5.6-terra priority 4 0.4 24
gpt-5.6-luna flex 0.1 0.01 0.6
gpt-5.6-luna batch 0.1 0.01 0.6
gpt-5.6-luna priority 0.4 0.04 2.4
gpt-5.5 flex 2.5 0.25 15
gpt-5.5 batch 2.5 0.25 15
gpt-5.5 priority 12.5 1.25 75
gpt-5.5-pro flex 15 - 90
gpt-5.5-pro batch 15 - 90
gpt-5.4 flex 1.25 0.13 7.5
gpt-5.4 batch 1.25 0.13 7.5
gpt-5.4 priority 5 0.5 30
gpt-5.4-mini flex 0.375 0.0375 2.25
gpt-5.4-mini batch 0.375 0.0375 2.25
gpt-5.4-mini priority 1.5 0.15 9
gpt-5.4-nano flex 0.1 0.01 0.625
gpt-5.4-nano batch 0.1 0.01 0.625
gpt-5.4-pro flex 15 - 90
gpt-5.4-pro batch 15 - 90
gpt-5.3-codex priority 3.5 0.35 28
gpt-5.2 flex 0.875 0.0875 7
gpt-5.2 batch 0.875 0.0875 7
gpt-5.2 priority 3.5 0.35 28
gpt-5.2-pro batch 10.5 - 84
gpt-5.1 flex 0.625 0.0625 5
gpt-5.1 batch 0.625 0.0625 5
gpt-5.1 priority 2.5 0.25 20
gpt-5 flex 0.625 0.0625 5
gpt-5 batch 0.625 0.0625 5
gpt-5 priority 2.5 0.25 20
gpt-5-mini flex 0.125 0.0125 1
gpt-5-mini batch 0.125 0.0125 1
gpt-5-mini priority 0.45 0.045 3.6
gpt-5-nano flex 0.025 0.0025 0.2
gpt-5-nano batch 0.025 0.0025 0.2
gpt-5-pro batch 7.5 - 60
gpt-4.1 batch 1 0.5 4
gpt-4.1 priority 3.5 0.875 14
gpt-4.1-mini batch 0.2 0.1 0.8
gpt-4.1-mini priority 0.7 0.175 2.8
gpt-4.1-nano batch 0.05 0.025 0.2
gpt-4.1-nano priority 0.2 0.05 0.8
gpt-4o batch 1.25 - 5
gpt-4o priority 4.25 2.125 17
gpt-4o-2024-05-13 batch 2.5 - 7.5
gpt-4o-2024-05-13 priority 8.75 - 26.25
gpt-4o-mini batch 0.075 - 0.3
gpt-4o-mini priority 0.25 0.125 1
o1 batch 7.5 - 30
o1-pro batch 75 - 300
o3 flex 1 0.25 4
o3 batch 1 0.5 4
o3 priority 3.5 0.875 14
o3-pro batch 10 - 40
o3-mini batch 0.55 - 2.2
o4-mini flex 0.55 0.138 2.2
o4-mini batch 0.55 0.275 2.2
o4-mini priority 2 0.5 8
gpt-4-turbo batch 5 - 15
gpt-4 batch 15 - 30
gpt-3.5-turbo batch 0.25 - 0.75
davinci-002 batch 1 - 1
babbage-002 batch 0.2 - 0.2
text-embedding-3-small batch 0.01 - 0
text-embedding-3-large batch 0.065 - 0
gpt-6-astra ultrafast 60 6 300
gpt-6.1-sol ultrafast 12 0.6 60
text-embedding-ada-002 batch 0.05 - 0
ft:gpt-3.5-turbo-0125:a::1 batch 1.5 - 3
ft:gpt-4o-2024-08-06:a::1 batch 2.225 0.9 12.5
ft:gpt-4o-mini-2024-07-18:a::1 batch 0.15 0.075 0.6
ft:gpt-4.1-2025-04-14:a::1 batch 1.5 0.5 6
ft:gpt-4.1-mini-2025-04-14:a::1 batch 0.4 0.1 1.6
ft:gpt-4.1-nano-2025-04-14:a::1 batch 0.1 0.025 0.4
ft:o4-mini-2025-04-16:a::1 batch 2 0.5 8
ft:davinci-002:a::1 batch 6 - 6
ft:babbage-002:a::1 batch 0.8 - 0.9
"""

# Trained models: input, cached input, output, and a million trained tokens of the base model.
TRAINED = """
gpt-4.1-2025-04-14 3 0.75 12 25
gpt-4.1-mini-2025-04-14 0.8 0.2 3.2 5
gpt-4.1-nano-2025-04-14 0.2 0.05 0.8 1.5
gpt-4o-2024-08-06 3.75 1.875 15 25
gpt-4o-mini-2024-07-18 0.3 0.15 1.2 3
gpt-3.5-turbo-0125 3 - 6 8
o4-mini-2025-04-16 4 1 16 -
davinci-002 12 - 12 6
babbage-002 1.6 - 1.6 0.4
"""

# What cost something else on the day before the last: input, cached input, output.
BEFORE = """
o3 2025-06-09 10 2.5 40
gpt-5.6-luna 2026-07-29 1 0.1 6
gpt-5.6-terra 2026-07-29 2.5 0.25 15
gpt-5.6-sol 2026-08-20 5 0.5 30
gpt-5.5-cyber 2026-10-18 12.5 - 75
"""

# What OpenAI's page says of a model that came out on 17 November 2026: from a day on, in a tier, with so many tokens
# of input, USD for a million of input, cached, written, written for 12 hours, output.
NEWEST = """
gpt-6.2-sol 2026-11-20 default 1000 2 0.1 2.5 5 10
gpt-6.2-sol 2026-11-20 default 272001 4 0.2 5 10 15
gpt-6.2-sol 2026-11-20 batch 1000 1 0.05 1.25 2.5 5
gpt-6.2-sol 2026-11-20 batch 272001 2 0.1 2.5 5 7.5
gpt-6.2-sol 2026-11-20 priority 1000 4 0.2 5 10 20
gpt-6.2-sol 2026-11-20 ultrafast 1000 6 0.3 7.5 15 30
gpt-6.2-sol 2027-02-28 ultrafast 1000 6 0.3 7.5 15 30
gpt-6.2-sol 2027-03-01 ultrafast 1000 12 0.6 15 30 60
gpt-6.2-sol 2027-03-01 ultrafast 272001 24 1.2 30 60 90
"""

# Models that charge 2x input and 1.5x output above 272,000 tokens of input; the last figure is their priority input.
LONG = """
gpt-6-astra 20 2 75 40
gpt-6-sol 4 0.4 15 8
gpt-6-luna 0.2 0.02 0.75 0.4
gpt-6.1-sol 4 0.2 15 8
gpt-6.1-terra 2 0.1 7.5 4
gpt-5.6-sol 8 0.8 30 16
gpt-5.6-terra 4 0.4 18 8
gpt-5.6-luna 0.4 0.04 1.8 0.8
gpt-6-rosalind 30 3 112.5 -
gpt-5.5 10 1 45 -
gpt-5.5-pro 60 - 270 -
gpt-5.4 5 0.5 22.5 -
gpt-5.4-pro 60 - 270 -
"""

# Sound: text in, cached text, text out, audio in, cached audio, audio out; then pictures in and cached.
AUDIO = """
gpt-realtime-2.1 4 0.4 24 32 0.4 64 5 0.5
gpt-realtime-2 4 0.4 24 32 0.4 64 5 0.5
gpt-realtime 4 0.4 16 32 0.4 64 5 0.5
gpt-realtime-1.5 4 0.4 16 32 0.4 64 5 0.5
gpt-realtime-mini 0.6 0.06 2.4 10 0.3 20 0.8 0.08
gpt-realtime-2.1-mini 0.6 0.06 2.4 10 0.3 20 0.8 0.08
gpt-4o-realtime-preview 5 2.5 20 40 2.5 80 - -
gpt-4o-mini-realtime-preview 0.6 0.3 2.4 10 0.3 20 - -
gpt-audio 2.5 - 10 32 - 64 - -
gpt-audio-1.5 2.5 - 10 32 - 64 - -
gpt-audio-mini 0.6 - 2.4 10 - 20 - -
gpt-4o-audio-preview-2025-06-03 2.5 - 10 40 - 80 - -
gpt-4o-mini-audio-preview 0.15 - 0.6 10 - 20 - -
gpt-4o-transcribe 2.5 - 10 6 - - - -
gpt-4o-transcribe-diarize 2.5 - 10 6 - - - -
gpt-4o-mini-transcribe-2025-12-15 1.25 - 5 3 - - - -
gpt-4o-mini-tts-2025-12-15 0.6 - 12 - - - - -
"""

# Pictures in tokens: text in, cached text, pictures in, cached pictures, pictures out.
IMAGES = """
gpt-image-2.5-sunburst 5 1.25 8 2 30
gpt-image-2.5-flare 5 1.25 8 2 30
gpt-image-2 5 1.25 8 2 30
gpt-image-1.5 5 1.25 8 2 32
chatgpt-image-latest 5 1.25 8 2 32
gpt-image-1-mini 2 0.2 2.5 0.25 8
gpt-image-1 5 1.25 10 2.5 40
"""

# Each picture, by quality and size.
PICTURES = """
dall-e-3 standard 1024x1024 0.04
dall-e-3 standard 1024x1792 0.08
dall-e-3 standard 1792x1024 0.08
dall-e-3 hd 1024x1024 0.08
dall-e-3 hd 1024x1792 0.12
dall-e-3 hd 1792x1024 0.12
dall-e-2 standard 256x256 0.016
dall-e-2 standard 512x512 0.018
dall-e-2 standard 1024x1024 0.02
dall-e-2 - 1024x1024 0.02
"""

# Each second of video, by size; in batches half of it.
VIDEO = """
sora-2 720x1280 0.10
sora-2 1280x720 0.10
sora-2-2025-12-08 1280x720 0.10
sora-2-pro 720x1280 0.30
sora-2-pro 1280x720 0.30
sora-2-pro 1024x1792 0.50
sora-2-pro 1792x1024 0.50
sora-2-pro 1080x1920 0.70
sora-2-pro-2025-10-06 1920x1080 0.70
"""

# Each minute of sound.
MINUTES = """
whisper-1 0.006
gpt-transcribe 0.0045
gpt-live-transcribe 0.017
gpt-realtime-whisper 0.017
gpt-realtime-translate 0.034
gpt-live-1 0.05
"""

# A million spoken characters.
CHARACTERS = """
tts-1 15
tts-1-hd 30
"""

# A thousand calls of a tool.
CALLS = """
gpt-6-astra web_search 10
gpt-4.1 web_search 10
gpt-4.1-nano web_search 10
gpt-4o-mini web_search 10
gpt-4o-search-preview web_search 10
gpt-5-search-api-2025-10-14 web_search 10
gpt-6-astra web_search_preview 10
gpt-5 web_search_preview 10
o3 web_search_preview 10
o4-mini-deep-research web_search_preview 10
gpt-4o web_search_preview 25
gpt-4o-mini web_search_preview 25
gpt-4.1 web_search_preview 25
gpt-4.1-nano web_search_preview 25
gpt-4.5 web_search_preview 25
gpt-6.1-sol file_search 2.5
gpt-4.1-nano file_search 2.5
gpt-5 code_interpreter 0
gpt-5 shell 0
gpt-5 image_generation 0
gpt-5 computer 0
gpt-5 mcp 0
"""

# Models whose tokens cost 1.1 times as much where they are processed in a region.
REGIONAL = """
gpt-6-astra
gpt-6.1-sol
gpt-6.1-terra
gpt-6-sol
gpt-6-luna
gpt-6-cyber
gpt-6-rosalind
gpt-5.6-sol
gpt-5.6-terra
gpt-5.6-luna
gpt-5.6-cyber
gpt-5.5
gpt-5.5-pro
gpt-5.5-cyber
gpt-5.4
gpt-5.4-mini
gpt-5.4-nano
gpt-5.4-pro
"""

# Twenty minutes of a container, by its memory.
SESSIONS = """
1g 0.03
4g 0.12
16g 0.48
64g 1.92
"""
